/** What one run of recriu changes on this machine, written down before it is done, and taken back. */
import { closeSync } from "node:fs";
import { readStat } from "../host/processes.ts";
import { bringBack } from "./aside.ts";
import { unmakeDirectory } from "./directory.ts";
import { unmakeEntry } from "./entry.ts";
import { holdRoot } from "./held-root.ts";
import {
  beginJournal,
  type Journal,
  JournalError,
  leftJournals,
  stateDirectory,
} from "./journal.ts";
import { bringNameBack, dropName } from "./kept-names.ts";
import { removeLeftover } from "./leftovers.ts";
import { openShadow, removeShadow, type Shadow, type ShadowResult } from "./shadow.ts";
import type { Step } from "./step.ts";
import { sh } from "../sys/shell.ts";

/**
 * What one run of recriu changes on this machine, from its first change on. Whoever lets go of it without a word has
 * failed: then all is taken back, unless there may be a tree by now, which is for `recriu undo` to look at.
 */
export interface Changes extends Disposable {
  /** Write down what is about to be changed, or was. Throws when it cannot be written. */
  record(step: Step): void;
  /** Why nothing can be written down, if so; then nothing may be changed. */
  readonly problem: string | undefined;
  /** The path of a directory that CRIU reads instead of the images; undefined: it reads them as they are. */
  readonly images: string | undefined;
  /** The descriptor of that directory, if there is one. */
  readonly shown: readonly number[];
  /** That directory; where there is none yet, a new one in the first of `places` that takes it. */
  shadowIn(places: readonly string[]): ShadowResult;
  /** Take everything back, last first. Returns what could not be, in words. */
  undo(): string[];
  /** The tree exists now, below the process `root` of this machine: a killed recriu leaves word of it. */
  noteTree(root: number): void;
  /** The repairs stay: drop the shadow and forget the journal. */
  keep(): void;
}

/** What repairs make. */
const repairs: readonly Step["action"][] = ["mkdir", "file", "fifo"];

/** What is in the tree's own root file system; the rest is this machine's, and CRIU may have mounted on it. */
const inTree: ReadonlySet<Step["action"]> = new Set([
  ...repairs,
  "aside",
  "socket",
  "ghost",
  "name",
]);

/** Begin to change things for a restore of `images`. */
export function beginChanges(images: string): Changes {
  const steps: Step[] = [];
  const journal = tryJournal(images);
  // Where there is nothing to repair, a restore goes on without a journal: only a killed recriu would need it.
  let kept = journal.ok ? journal.journal : undefined;
  const forget = () => {
    kept?.remove();
    kept = undefined;
  };
  let shadow: Shadow | undefined;
  let tree = false;
  const roots = new Map<string, number | undefined>();
  const letGo = () => {
    for (const fd of roots.values()) if (fd !== undefined) closeSync(fd);
    roots.clear();
  };
  const closeShadow = () => {
    if (shadow !== undefined) closeSync(shadow.fd);
    shadow = undefined;
  };
  const changes: Changes = {
    problem: journal.ok ? undefined : journal.problem,
    get images() {
      return shadow && `/proc/${process.pid}/fd/${shadow.fd}`;
    },
    get shown() {
      return shadow === undefined ? [] : [shadow.fd];
    },
    shadowIn(places) {
      if (shadow !== undefined) return { ok: true, shadow };
      const opened = openShadow(places, changes.record);
      if (opened.ok) ({ shadow } = opened);
      return opened;
    },
    record(step) {
      kept?.write(step);
      const { root, action } = step;
      const ofTree = inTree.has(action);
      if (ofTree && !roots.has(root)) roots.set(root, holdRoot(root));
      const held = ofTree ? roots.get(root) : undefined;
      steps.push(held === undefined ? step : { ...step, held });
    },
    undo() {
      closeShadow();
      const left = undoSteps(steps.splice(0));
      letGo();
      forget();
      return left;
    },
    noteTree(root) {
      tree = true;
      kept?.write({ action: "tree", root: "/", path: images, pid: root, started: startOf(root) });
    },
    keep() {
      closeShadow();
      for (const step of shadowsOf(steps)) removeShadow(step);
      for (const step of steps) if (step.action === "name") dropName(step);
      for (const step of steps.toReversed()) if (step.briefly) takeBack(step);
      steps.length = 0;
      letGo();
      forget();
    },
    [Symbol.dispose]() {
      if (!tree) changes.undo();
    },
  };
  return changes;
}

/**
 * Shadows are of no use once their recriu is dead; what else it left is for `recriu undo`, which also says what is wrong with
 * a journal: that keeps no tree from being restored.
 */
export function dropLeftShadows(): void {
  let journals: ReturnType<typeof leftJournals>;
  try {
    journals = leftJournals();
  } catch {
    return;
  }
  for (const journal of journals) {
    const shadows = shadowsOf(journal.steps);
    for (const shadow of shadows) takeBack(shadow);
    const isAll = shadows.length > 0 && journal.steps.every(isShadow);
    if (isAll && journal.problem === undefined) journal.remove();
    else journal.close();
  }
}

function tryJournal(
  images: string,
): { ok: true; journal: Journal } | { ok: false; problem: string } {
  try {
    return { ok: true, journal: beginJournal(images) };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

const isShadow = ({ action }: Step): boolean => action === "shadow";
const shadowsOf = (steps: readonly Step[]): Step[] => settled(steps).filter(isShadow);

/** Of a directory's two records the second one, which knows its inode, decides. */
function settled(steps: readonly Step[]): Step[] {
  const keyOf = ({ action, root, path }: Step) => `${action}\0${root}\0${path}`;
  const existing = new Set(steps.filter((step) => step.inode !== undefined).map(keyOf));
  return steps.filter((step) => step.inode !== undefined || !existing.has(keyOf(step)));
}

/** Later steps first. */
const undoSteps = (steps: readonly Step[]): string[] =>
  settled(steps)
    .toReversed()
    .flatMap((step) => takeBack(step) ?? []);

function takeBack(step: Step): string | undefined {
  try {
    return takeBackNow(step);
  } catch (error) {
    return `${step.path}: ${(error as Error).message}; left alone`;
  }
}

function takeBackNow(step: Step): string | undefined {
  switch (step.action) {
    case "mkdir":
      return unmakeDirectory(step);
    case "file":
    case "fifo":
      return unmakeEntry(step);
    case "aside":
      return bringBack(step);
    case "shadow":
      return removeShadow(step);
    case "name":
      return bringNameBack(step);
    case "tree":
      return treeLeft(step);
    default:
      return removeLeftover(step);
  }
}

/**
 * What was undone of one journal: the directories, files and FIFOs that it had made, and what could not be undone. `problem`: why the journal,
 * or its rest, is not to be believed; `aside` is the path under which it is kept then.
 */
export interface Undone {
  journal: string;
  images: string;
  made: string[];
  left: string[];
  problem: string | null;
  aside: string | null;
}

/** Finish what killed runs left. */
export function undoLeft(): Undone[] {
  let journals: ReturnType<typeof leftJournals>;
  try {
    journals = leftJournals();
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    const { message: problem } = error;
    return [{ journal: stateDirectory(), images: "", made: [], left: [], problem, aside: null }];
  }
  return journals.map((journal) => {
    const { file, images, steps, problem = null } = journal;
    const left = undoSteps(steps);
    const made = steps.flatMap(({ action, root, path }) =>
      action === "shadow" ? `${root}/${path}` : repairs.includes(action) ? path : [],
    );
    const aside = problem === null ? null : journal.quarantine();
    if (problem === null) journal.remove();
    return { journal: file, images, made: [...new Set(made)], left, problem, aside };
  });
}

/** When a process began, in clock ticks since the boot: with its pid it is one process and no other. */
const startOf = (pid: number): string => String(readStat(pid)?.starttime ?? 0);

/** A tree that CRIU let run after recriu was killed: its structure was compared, the rest was not. */
function treeLeft({ path, pid, started }: Step): string | undefined {
  if (pid === undefined || readStat(pid) === undefined || startOf(pid) !== started)
    return undefined;
  return `the tree of process ${pid} runs, compared in its structure only: ${sh`recriu verify -D ${path} --pid ${pid}`} compares the rest`;
}
