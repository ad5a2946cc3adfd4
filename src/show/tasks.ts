/** Tasks as a person knows them: what they were called with, whose they were, how large. */
import type { Checkpoint, Task } from "../image/index.ts";
import { MemoryBytes } from "../image/memory-bytes.ts";
import { fromBytes } from "../sys/text.ts";
import { policyName } from "../sys/sched.ts";
import { describe } from "./descriptors.ts";

interface ShownThread {
  readonly tid: number;
  readonly name: string;
  readonly policy: string;
  readonly priority: number;
  readonly nice: number;
}

export interface ShownTask {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly state: string;
  readonly command: string;
  /** Its words, as its memory has them; null where the images have not that page. */
  readonly argv: readonly string[] | null;
  /** The effective user and group, by number. */
  readonly uid: number | null;
  readonly gid: number | null;
  readonly program: string | null;
  readonly cwd: string | null;
  /** Its root directory. */
  readonly root: string | null;
  /** Bytes of its own memory that the images, or their parents, have. */
  readonly memory: number;
  readonly threads: readonly ShownThread[];
  /** `id`: of its entry in files.img. */
  readonly files: readonly { readonly fd: number; readonly id: number; readonly what: string }[];
}

export function shownTask(checkpoint: Checkpoint, task: Task): ShownTask {
  const path = (id: number | undefined) =>
    id === undefined ? null : (checkpoint.openFiles.get(id)?.reg?.name ?? null);
  const creds = task.core?.thread_core?.creds;
  const { mm_arg_start: from = 0n, mm_arg_end: to = 0n } = task.mm ?? {};
  return {
    pid: task.pid,
    ppid: task.ppid,
    pgid: task.pgid,
    sid: task.sid,
    state: task.state,
    command: task.core?.tc?.comm ?? "?",
    argv: wordsBetween(checkpoint, task, from, to),
    uid: creds?.euid ?? null,
    gid: creds?.egid ?? null,
    program: path(task.mm?.exe_file_id),
    cwd: path(task.fs?.cwd_id),
    root: path(task.fs?.root_id),
    memory: pagesOf(checkpoint, task) * checkpoint.pageSize,
    threads: task.threads.map(({ tid, core }) => ({
      tid,
      name: core?.thread_core?.comm ?? task.core?.tc?.comm ?? "?",
      policy: policyName(core?.thread_core?.sched_policy ?? 0),
      priority: core?.thread_core?.sched_prio ?? 0,
      nice: core?.thread_core?.sched_nice ?? 0,
    })),
    files: task.fds.map(({ fd, id }) => ({ fd, id, what: describe(checkpoint.openFiles.get(id)) })),
  };
}

/** What it had in its environment, `NAME=VALUE`; null where the images have not that page. */
export function environmentOf(checkpoint: Checkpoint, task: Task): readonly string[] | null {
  const { mm_env_start: from = 0n, mm_env_end: to = 0n } = task.mm ?? {};
  return wordsBetween(checkpoint, task, from, to);
}

/** Longer ones are cut. Bytes. */
const LONGEST = 128 << 10;

function wordsBetween(
  checkpoint: Checkpoint,
  { pid }: Task,
  from: bigint,
  to: bigint,
): readonly string[] | null {
  const length = Math.min(Number(to - from), LONGEST);
  if (from === 0n || length <= 0) return null;
  using memory = new MemoryBytes(checkpoint, `pagemap-${pid}.img`);
  const bytes = memory.at(Number(from), length);
  // A program may have overwritten them; of an archive page data is not kept.
  if (bytes === undefined || bytes[0] === 0) return null;
  return fromBytes(bytes).replace(/\0+$/, "").split("\0");
}

const pagesOf = (checkpoint: Checkpoint, { pid }: Task): number =>
  checkpoint.runs(`pagemap-${pid}.img`).reduce((sum, { pages }) => sum + pages, 0);
