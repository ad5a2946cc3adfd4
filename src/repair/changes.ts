/** What one run of recriu changes on this machine, written down before it is done, and taken back. */
import { closeSync, realpathSync } from "node:fs";
import { readStat } from "../host/processes.ts";
import { unmakeDirectory } from "./directory.ts";
import { beginJournal, type Journal, leftJournals, type Step } from "./journal.ts";
import { absolute } from "../sys/working-directory.ts";
import { removeLeaving } from "./leavings.ts";
import { removeShadow, type Shadow } from "./shadow.ts";

/** What one run of recriu changes on this machine, from its first change on. */
export interface Changes {
  /** Write down what is about to be changed, or was. Throws when it cannot be written. */
  record(step: Step): void;
  /** Why nothing can be written down, if so; then nothing may be changed. */
  readonly problem: string | undefined;
  /** A directory that CRIU reads instead of the images; undefined: it reads them as they are. */
  shadow: Shadow | undefined;
  /** Its path for CRIU. */
  readonly images: string | undefined;
  /** CRIU has read the images: the shadow goes. */
  dropImages(): void;
  /** Take everything back, last first. Returns what could not be, in words. */
  undo(): string[];
  /** The tree exists now, below the process `root` of this machine: a killed recriu leaves word of it. */
  noteTree(root: number): void;
  /** The repairs stay: drop the shadow and forget the journal. */
  keep(): void;
}

/** Begin to change things for a restore of `images`. */
export function beginChanges(given: string): Changes {
  const steps: Step[] = [];
  const images = lasting(given);
  const journal = tryJournal(images);
  // Where there is nothing to repair, a restore goes on without a journal: only a killed recriu would need it.
  let kept = journal.ok ? journal.journal : undefined;
  const forget = () => {
    kept?.remove();
    kept = undefined;
  };
  const closeShadow = () => {
    if (changes.shadow !== undefined) closeSync(changes.shadow.fd);
    changes.shadow = undefined;
  };
  const changes: Changes = {
    problem: journal.ok ? undefined : journal.problem,
    shadow: undefined,
    get images() {
      return changes.shadow && `/proc/${process.pid}/fd/${changes.shadow.fd}`;
    },
    record(relative) {
      const step = { ...relative, root: lasting(relative.root) };
      kept?.write(step);
      steps.push(step);
    },
    dropImages() {
      closeShadow();
      for (const step of shadowsOf(steps)) removeShadow(step);
    },
    undo() {
      closeShadow();
      const left = undoSteps(steps.splice(0));
      forget();
      return left;
    },
    noteTree: (root) =>
      kept?.write({ action: "tree", root: "/", path: images, pid: root, started: startOf(root) }),
    keep() {
      changes.dropImages();
      steps.length = 0;
      forget();
    },
  };
  return changes;
}

/** A path that leads to the same place from everywhere, and when recriu is gone. */
function lasting(path: string): string {
  if (path.startsWith("/")) return path;
  try {
    return realpathSync.native(path);
  } catch {
    return absolute(path);
  }
}

/** Shadows are of no use once their recriu is dead; what else it left is for `recriu undo`. */
export function dropLeftShadows(): void {
  for (const journal of leftJournals()) {
    const shadows = shadowsOf(journal.steps);
    for (const shadow of shadows) removeShadow(shadow);
    if (shadows.length > 0 && journal.steps.every(isShadow)) journal.remove();
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
  const known = new Set(
    steps.filter((step) => step.inode !== undefined).map((step) => `${step.root}\0${step.path}`),
  );
  return steps.filter(
    (step) => step.inode !== undefined || !known.has(`${step.root}\0${step.path}`),
  );
}

/** Later steps first. */
const undoSteps = (steps: readonly Step[]): string[] =>
  settled(steps)
    .toReversed()
    .flatMap((step) => takeBack(step) ?? []);

function takeBack(step: Step): string | undefined {
  switch (step.action) {
    case "mkdir":
      return unmakeDirectory(step);
    case "shadow":
      return removeShadow(step);
    case "tree":
      return treeLeft(step);
    default:
      return removeLeaving(step);
  }
}

/** Finish what killed runs left: one entry a journal, with the directories it had made and what could not be undone. */
export function undoLeft(): { images: string; made: string[]; left: string[] }[] {
  return leftJournals().map((journal) => {
    const left = undoSteps(journal.steps);
    journal.remove();
    return {
      images: journal.images,
      made: [
        ...new Set(
          journal.steps.flatMap(({ action, root, path }) =>
            action === "shadow" ? `${root}/${path}` : action === "mkdir" ? path : [],
          ),
        ),
      ],
      left,
    };
  });
}

/** When a process began, in clock ticks since the boot: with its pid it is one process and no other. */
const startOf = (pid: number): string => String(readStat(pid)?.starttime ?? 0);

/** A tree that CRIU let run after recriu was killed: whether it is the saved one in all details nobody has seen. */
function treeLeft({ path, pid, started }: Step): string | undefined {
  if (pid === undefined || readStat(pid) === undefined || startOf(pid) !== started)
    return undefined;
  return `the tree of process ${pid} runs, compared in its structure only: recriu verify -D ${path} --pid ${pid} compares the rest`;
}
