/** What a task runs, as what, and where. */
import type { ProcessFiles } from "../host/process-files.ts";
import type { Checkpoint } from "../image/index.ts";
import { asSaved, type Comparison, type Facet, shownName } from "./facet.ts";

export const command: Facet = {
  id: "command",
  final: "tree",
  moving: true,
  compare({ live }, { same }) {
    for (const { task, proc, comm, threads } of live.tasks.values()) {
      for (const { tid, core } of task.threads) {
        const saved = core?.thread_core?.comm ?? (tid === task.pid ? core?.tc?.comm : undefined);
        const now = threads.get(tid);
        if (saved === undefined || now === undefined) continue;
        const found = now === proc.pid ? comm : proc.read(`task/${now}/comm`)?.replace(/\n$/, "");
        same(task.pid, `name of thread ${tid}`, saved, found);
      }
    }
  },
};

export const executable: Facet = {
  id: "executable",
  final: "tree",
  moving: true,
  compare({ checkpoint, live }, comparison) {
    for (const { task, proc } of live.tasks.values())
      compareLink(checkpoint, comparison, task.pid, proc, "exe", task.mm?.exe_file_id);
  },
};

export const workingDirectory: Facet = {
  id: "cwd",
  final: "tree",
  moving: true,
  compare({ checkpoint, live }, comparison) {
    for (const { task, proc } of live.tasks.values())
      compareLink(checkpoint, comparison, task.pid, proc, "cwd", task.fs?.cwd_id);
  },
};

export const rootDirectory: Facet = {
  id: "root",
  final: "tree",
  compare({ checkpoint, live }, comparison) {
    // The root of a mount namespace is seen from here as "/", whatever its name was.
    for (const { task, proc } of live.tasks.values()) {
      const saved = checkpoint.openFiles.get(task.fs?.root_id ?? 0)?.reg?.name;
      if (saved !== undefined && saved !== "/") {
        compareLink(checkpoint, comparison, task.pid, proc, "root", task.fs?.root_id);
      }
    }
  },
};

/** A file that had been deleted at the dump comes back under another name, and is shown so: not compared. */
function compareLink(
  checkpoint: Checkpoint,
  { same, leftOut }: Comparison,
  task: number,
  proc: ProcessFiles,
  link: "exe" | "cwd" | "root",
  id: number | undefined,
): void {
  const saved = id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg;
  if (saved === undefined) return;
  if (checkpoint.remapped.has(saved.id)) return leftOut("names of deleted files");
  same(task, link, shownName(saved), asSaved({ proc }, shownName(saved), proc.link(link)));
}
