import { readdirSync, readFileSync } from "node:fs";

export interface Process {
  readonly pid: number;
  /** proc_pid_stat(5): R, S, D, Z, T, t, X … */
  readonly state: string;
  readonly ppid: number;
}

/** The process as /proc has it; null when there is none. */
export function processOf(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command between the parentheses may itself hold spaces and parentheses.
    const [state = "", ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state, ppid: Number(ppid) };
  } catch {
    return null;
  }
}

/** The process's name, proc_pid_comm(5); undefined when there is none. */
export function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

/** Whether the process exists and is no zombie. */
export function alive(pid: number): boolean {
  const found = processOf(pid);
  return found !== null && found.state !== "Z" && found.state !== "X";
}

/** Whether SIGKILL is on its way to the process or it is exiting: soon it is a zombie or gone. */
export function dying(pid: number): boolean {
  try {
    const pending = readFileSync(`/proc/${pid}/status`, "latin1").matchAll(
      /^S(?:ig|hd)Pnd:\t(.*)/gm,
    );
    const sigkill = 1n << 8n;
    if ([...pending].some(([, set]) => (BigInt(`0x${set}`) & sigkill) !== 0n)) return true;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const flags = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[6];
    return (Number(flags) & 0x4) !== 0; // PF_EXITING
  } catch {
    return true;
  }
}

/** All processes below `pid`, zombies too, parents before children. */
export function descendants(pid: number): Process[] {
  const children = new Map<number, Process[]>();
  for (const name of readdirSync("/proc")) {
    const found = /^\d+$/.test(name) ? processOf(Number(name)) : null;
    if (!found) continue;
    const siblings = children.get(found.ppid);
    if (siblings) siblings.push(found);
    else children.set(found.ppid, [found]);
  }
  const found: Process[] = [];
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const child of children.get(parent) ?? []) {
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}

/** SIGKILL, whether or not the process still exists. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
