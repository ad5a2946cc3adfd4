/** Processes of this machine, from /proc (proc(5)). Every entry may vanish while it is read: then it is left out. */
import { AT_FDCWD } from "../sys/linux.ts";
import { linkAt, namesAt, readAt } from "../sys/small-files.ts";

/** The fields of /proc/PID/stat that a restore and its verification need. */
export interface Stat {
  pid: number;
  comm: string;
  /** R S D T t Z X …, proc_pid_stat(5). */
  state: string;
  ppid: number;
  pgrp: number;
  session: number;
  /** Its controlling terminal's device number; 0: none. */
  tty: number;
  /** The foreground process group of that terminal; -1: none. */
  foreground: number;
  /** PF_… of linux/sched.h. */
  flags: number;
  starttime: bigint;
}

/** Read a /proc file; undefined when it (or the process) is not there. */
const read = (path: string): string | undefined => readAt(AT_FDCWD, path);

/** comm may hold spaces and parentheses: the last `)` ends it. */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(" ");
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: fields[0] ?? "",
    ppid: Number(fields[1]),
    pgrp: Number(fields[2]),
    session: Number(fields[3]),
    tty: Number(fields[4]),
    foreground: Number(fields[5]),
    flags: Number(fields[6]),
    starttime: BigInt(fields[19] ?? 0),
  };
}

/** /proc/PID/stat; also of a thread id, whose own stat it then is. */
export function readStat(pid: number | "self"): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** Every process that /proc lists now. */
export function listProcesses(): Stat[] {
  return (namesAt(AT_FDCWD, "/proc") ?? [])
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
}

/**
 * Whether a process or thread is on its way to its end: a zombie before it is reaped, exiting (PF_EXITING of
 * linux/sched.h), or sent SIGKILL.
 */
export function isEnding({ pid, state, flags }: Stat): boolean {
  const PF_EXITING = 0x4;
  if (state === "Z" || state === "X" || (flags & PF_EXITING) !== 0) return true;
  const status = parseStatus(procFile(pid, "status"));
  const killed = (signals: string | undefined) => (BigInt(`0x${signals ?? 0}`) & (1n << 8n)) !== 0n;
  return killed(status.get("ShdPnd")) || killed(status.get("SigPnd"));
}

/** Whether nothing of a process runs any more. A zombie's other threads may, and hold all that it had. */
export const hasEnded = ({ pid, state }: Stat): boolean =>
  state === "X" || (state === "Z" && threadsOf(pid).length <= 1);

/** Of a list of processes those that are `root` or below it. */
export function familyOf(root: number, processes: readonly Stat[]): Set<number> {
  const children = Map.groupBy(processes, ({ ppid }) => ppid);
  const family = new Set([root]);
  for (const member of family) for (const { pid } of children.get(member) ?? []) family.add(pid);
  return family;
}

/** Thread ids of a process, leader first. */
export function threadsOf(pid: number): number[] {
  const names = namesAt(AT_FDCWD, `/proc/${pid}/task`) ?? [];
  return names.map(Number).sort((a, b) => a - b);
}

/** Direct children of a process, over all its threads (which may each have forked). */
export function childrenOf(pid: number, threads: readonly number[] = threadsOf(pid)): number[] {
  return threads.flatMap((tid) =>
    (read(`/proc/${pid}/task/${tid}/children`) ?? "")
      .split(" ")
      .filter((word) => word !== "")
      .map(Number),
  );
}

/** Every process below one. */
export function descendantsOf(pid: number): number[] {
  const found = new Set<number>();
  const pending = childrenOf(pid);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    pending.push(...childrenOf(next));
  }
  return [...found];
}

/** /proc/PID/task/TID/status (proc_pid_status(5)): its fields by name. */
export interface Status {
  get(name: string): string | undefined;
}

/** The fields of such a file's text; none without a text. */
export function parseStatus(status = ""): Status {
  const text = `\n${status}`;
  return {
    get(name) {
      const start = text.indexOf(`\n${name}:`);
      if (start < 0) return undefined;
      return text.slice(start + name.length + 2, text.indexOf("\n", start + 1)).trim();
    },
  };
}

/** A small file of /proc/PID or /proc/sys; undefined when it or the process is not there. */
export const procFile = (pid: number | "sys", name: string): string | undefined =>
  read(`/proc/${pid}/${name}`);

/** A thread's id as its innermost pid namespace numbers it (last column of NSpid), and the process's. */
export function innermostPid(pid: number, tid = pid): number | undefined {
  const line = /^NSpid:(.*)$/m.exec(read(`/proc/${pid}/task/${tid}/status`) ?? "");
  const last = line?.[1]?.trim().split(/\s+/).pop();
  return last === undefined ? undefined : Number(last);
}

/** comm of a thread. */
export function commOf(pid: number, tid = pid): string | undefined {
  return read(`/proc/${pid}/task/${tid}/comm`)?.replace(/\n$/, "");
}

/** Where /proc/PID/NAME points (exe, cwd, root, fd/3, ns/mnt); undefined when gone or not allowed. */
export const linkOf = (pid: number | "self", name: string): string | undefined =>
  linkAt(AT_FDCWD, `/proc/${pid}/${name}`);

/** Descriptors of a process: number to what it points to. */
export function descriptorsOf(pid: number): Map<number, string> {
  const found = new Map<number, string>();
  // A process that is gone has no descriptors.
  for (const name of namesAt(AT_FDCWD, `/proc/${pid}/fd`) ?? []) {
    const target = linkOf(pid, `fd/${name}`);
    if (target !== undefined) found.set(Number(name), target);
  }
  return found;
}

/** Effective capabilities of this process as a bit set (capabilities(7)). */
export function effectiveCapabilities(): bigint {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(read("/proc/self/status") ?? "");
  return line === null ? 0n : BigInt(`0x${line[1]}`);
}
