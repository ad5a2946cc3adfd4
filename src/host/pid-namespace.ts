/** What holds numbers in another pid namespace: /proc/PID/status has those of each namespace that a task is in. */
import { identityOf } from "./paths.ts";
import { parseStatus, procFile, type Stat, threadsOf } from "./processes.ts";

/** A process or thread; or a member of a group or session, which keeps its number without its leader. */
export interface NumberHolder {
  /** As this machine numbers the process. */
  readonly pid: number;
  readonly comm: string;
  readonly as: "process" | "thread" | "group or session";
}

/**
 * The holders of numbers in the pid namespace at `path` (a /proc/PID/ns/pid) among `processes`: those in it, and in
 * namespaces below it. None where nothing is at that path.
 */
export function numbersIn(path: string, processes: readonly Stat[]): Map<number, NumberHolder> {
  const [groups, tasks] = [new Map<number, NumberHolder>(), new Map<number, NumberHolder>()];
  const namespace = identityOf(path);
  const members =
    namespace === undefined
      ? []
      : processes.filter(({ pid }) => identityOf(`/proc/${pid}/ns/pid`) === namespace);
  const children = Map.groupBy(processes, ({ ppid }) => ppid);
  const inside = new Set(members);
  for (const { pid } of inside) for (const child of children.get(pid) ?? []) inside.add(child);
  // The last column is a task's own namespace; those before it are around that.
  const level = members[0] === undefined ? 0 : numbersOf(members[0].pid, "NSpid").length - 1;
  for (const { pid, comm } of inside) {
    for (const field of ["NSpgid", "NSsid"]) {
      const number = numbersOf(pid, field)[level];
      if (number !== undefined) groups.set(number, { pid, comm, as: "group or session" });
    }
    for (const tid of threadsOf(pid)) {
      const number = numbersOf(pid, "NSpid", tid)[level];
      if (number !== undefined)
        tasks.set(number, { pid, comm, as: tid === pid ? "process" : "thread" });
    }
  }
  return new Map([...groups, ...tasks]);
}

const numbersOf = (pid: number, field: string, tid = pid): number[] =>
  (parseStatus(procFile(pid, `task/${tid}/status`)).get(field) ?? "")
    .split(/\s+/)
    .filter((number) => number !== "")
    .map(Number);
