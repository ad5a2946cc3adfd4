/** Carry a plan's repairs out, and take them back. */
import { closeSync } from "node:fs";
import type { Edit, Leaving, Repair } from "../checks/index.ts";
import { readStat } from "../host/processes.ts";
import type { Checkpoint } from "../image/index.ts";
import { makeDirectory, unmakeDirectory } from "./directory.ts";
import { beginJournal, type Journal, leftJournals, type Step } from "./journal.ts";
import { removeLeaving } from "./leavings.ts";
import { makeShadow, removeShadow } from "./shadow.ts";

/** The repairs that were made in one run. */
export interface Repaired {
  /** Where the images are with their edits; undefined: nothing is edited. */
  images: string | undefined;
  /** CRIU has read the images: the edited ones go. */
  dropImages(): void;
  /** Take everything back, last first. Returns what could not be, in words. */
  undo(): string[];
  /** The tree exists now, below the process `root` of this machine: a killed recriu leaves word of it. */
  noteTree(root: number): void;
  /** The repairs stay: drop the images and forget the journal. */
  keep(): void;
}

export type RepairResult =
  { ok: true; repaired: Repaired } | { ok: false; problem: string; left: string[] };

/** What is done before CRIU starts, and what is taken back when it fails. */
export interface Preparation {
  repairs: readonly Repair[];
  edits: readonly Edit[];
  leavings: readonly Leaving[];
}

/**
 * Make the repairs in order and the shadow with the edits, and note what CRIU will make. When one fails, those before it
 * are taken back. A shadow that a killed recriu left is removed.
 */
export function carryOut(
  { repairs, edits, leavings }: Preparation,
  checkpoint: Checkpoint,
): RepairResult {
  dropLeftShadows();
  const steps: Step[] = [];
  const changes = repairs.length + edits.length;
  const journal = tryJournal(checkpoint.dir);
  if (!journal.ok && changes > 0) {
    const problem = `no journal can be kept, so nothing is repaired: ${journal.problem}`;
    return { ok: false, problem, left: [] };
  }
  // Where there is nothing to repair, a restore goes on without a journal: only a killed recriu would need it.
  const kept = journal.ok ? journal.journal : undefined;
  const record = (step: Step) => {
    kept?.write(step);
    steps.push(step);
  };
  let shadow: number | undefined;
  const repaired: Repaired = {
    images: undefined,
    dropImages() {
      if (shadow !== undefined) closeSync(shadow);
      shadow = undefined;
      for (const step of shadowsOf(steps)) removeShadow(step);
    },
    undo() {
      if (shadow !== undefined) closeSync(shadow);
      const left = undoSteps(steps);
      kept?.remove();
      return left;
    },
    noteTree: (root) =>
      kept?.write({
        action: "tree",
        root: "/",
        path: checkpoint.dir,
        pid: root,
        started: startOf(root),
      }),
    keep() {
      repaired.dropImages();
      kept?.remove();
    },
  };
  const failed = (problem: string): RepairResult => ({ ok: false, problem, left: repaired.undo() });
  try {
    for (const repair of repairs) {
      const problem = makeDirectory(repair, record);
      if (problem !== undefined) return failed(problem);
    }
    if (edits.length > 0) {
      const made = makeShadow(checkpoint, edits, record);
      if (!made.ok) return failed(made.problem);
      shadow = made.fd;
      repaired.images = `/proc/${process.pid}/fd/${made.fd}`;
    }
    for (const { kind, ...leaving } of leavings) record({ action: kind, ...leaving });
  } catch (error) {
    // What cannot be written down (a full disk) is not done.
    return failed(`the journal cannot be written: ${(error as Error).message}`);
  }
  return { ok: true, repaired };
}

/** Shadows are of no use once their recriu is dead; what else it left is for `recriu undo`. */
function dropLeftShadows(): void {
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
