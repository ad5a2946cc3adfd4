/** Tasks of a restored tree that end while recriu still looks, and how: pidfd_open(2), and what the kernel logged of them. */
import { linkOf, procFile } from "../host/processes.ts";
import type { End, Watched } from "../report/outcome.ts";
import type { LiveTree } from "../verify/index.ts";
import { type KernelLog, openKernelLog } from "../sys/kernel-log.ts";
import { INITIAL_PID_NAMESPACE } from "../sys/linux.ts";
import { exitStatusOf, openProcess, readable } from "../sys/process.ts";
import { closeHandle } from "../sys/small-files.ts";

export interface EndWatch {
  /** Tasks that no handle could be had for, so that nothing is known of them. */
  readonly unwatched: number;
  readonly watched: number;
  /** Until so many seconds are over, or every task has ended. */
  wait(seconds: number): Promise<void>;
  /** The tasks that have ended by now. The watch is over then. */
  close(): End[];
}

/** Look only that often: what is asked is the time that is waited, not when it happened. */
const BETWEEN = 100;

/** Watch tasks, by their pids in the images to those on this machine. One descriptor each. */
export function watchEnds(tasks: ReadonlyMap<number, number>): EndWatch {
  const handles = new Map<number, { task: number; pid: number }>();
  for (const [task, pid] of tasks) {
    const handle = openProcess(pid);
    if (handle >= 0) handles.set(handle, { task, pid });
  }
  const log = linkOf("self", "ns/pid") === INITIAL_PID_NAMESPACE ? openKernelLog() : undefined;
  const gone = () => readable([...handles.keys()], 0);
  return {
    watched: handles.size,
    unwatched: tasks.size - handles.size,
    async wait(seconds) {
      const end = performance.now() + seconds * 1000;
      for (let left = seconds * 1000; left > 0; left = end - performance.now()) {
        if (gone().length === handles.size) return;
        await Bun.sleep(Math.min(BETWEEN, left));
      }
    },
    close() {
      const ended = gone().map((handle) => {
        const { task, pid } = handles.get(handle)!;
        return { task, pid, ...howOf(exitStatusOf(handle) ?? zombieStatus(pid)) };
      });
      const said = wordsOn(
        ended.map(({ pid }) => pid),
        log,
      );
      for (const handle of handles.keys()) closeHandle(handle);
      log?.close();
      return ended.map((end) => ({ ...end, kernel: said.get(end.pid) ?? null }));
    },
  };
}

/** The tasks that are watched as the tree runs: attached the root, to its end; detached all of them, for --settle. */
export function watchTasks({ root, tasks }: LiveTree, detached: boolean, settle: number) {
  const alive = [...tasks].filter(([, { state }]) => state !== "Z");
  const watched = detached
    ? alive.filter(() => settle > 0)
    : alive.filter(([, { pid }]) => pid === root);
  if (watched.length === 0) return undefined;
  return watchEnds(new Map(watched.map(([task, { pid }]) => [task, pid])));
}

/** What became of those that are watched: `seconds` from now, or by now where CRIU itself stayed until the end. */
export async function settled(
  ends: EndWatch | undefined,
  seconds: number | null,
): Promise<Watched | null> {
  if (ends === undefined) return null;
  await ends.wait(seconds ?? 0);
  const { watched, unwatched } = ends;
  return { tasks: watched, unwatched, seconds, ended: ends.close() };
}

/** The last field but two of /proc/PID/stat, of a process before its parent waits for it. */
function zombieStatus(pid: number): number | undefined {
  const text = procFile(pid, "stat");
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const status = Number(fields[49]);
  return fields[0] === "Z" && Number.isInteger(status) ? status : undefined;
}

/** A status of wait(2); undefined: it cannot be read any more. */
function howOf(status: number | undefined): Pick<End, "code" | "signal" | "core_dumped"> {
  if (status === undefined) return { code: null, signal: null, core_dumped: false };
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: null, core_dumped: false };
  return { code: null, signal, core_dumped: (status & 0x80) !== 0 };
}

/** What the kernel has logged of each since: out of memory, a segmentation fault. */
function wordsOn(pids: readonly number[], log: KernelLog | undefined): Map<number, string> {
  const said = new Map<number, string>();
  if (pids.length === 0 || log === undefined) return said;
  for (const record of log.records()) {
    const named = /\bKilled process (\d+) |\[(\d+)\]:? /.exec(record);
    const pid = Number(named?.[1] ?? named?.[2]);
    if (pids.includes(pid)) said.set(pid, record);
  }
  return said;
}
