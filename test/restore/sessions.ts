/** Trees that are jobs of a shell, and pstree.img that makes no sense. */
import { descendants, dump, type Stage, start } from "./stage.ts";

/** A job's dump, and the number of the job. */
export async function dumpJob(stage: Stage, kind: string) {
  const shell = await start(stage, "job", [kind]);
  const job = descendants(shell.pid).find(({ ppid }) => ppid === shell.pid)!.pid;
  const images = await dump(stage, job, ["--shell-job"]);
  return { shell: shell.pid, job, images };
}
