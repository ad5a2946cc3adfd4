/** What differs between two checkpoints: tasks, what each had open, sockets, mounts. */
import type { Contents } from "./contents.ts";
import type { ShownTask } from "./tasks.ts";

export interface Changed {
  /** `+` only the second has it, `-` only the first, `~` both, otherwise. */
  readonly sign: "+" | "-" | "~";
  readonly kind: "task" | "file" | "socket" | "mount" | "cgroup" | "namespace";
  /** The task that it is about; null: the whole. */
  readonly task: number | null;
  readonly what: string;
}

export function compareContents(a: Contents, b: Contents): Changed[] {
  return [
    ...tasks(a, b),
    ...several("socket", names(a), names(b)),
    ...several("mount", a.mounts.map(mountText), b.mounts.map(mountText)),
    ...several("cgroup", a.cgroups, b.cgroups),
    ...several("namespace", a.namespaces, b.namespaces),
  ];
}

const mountText = ({ mountpoint, source, external }: Contents["mounts"][number]): string =>
  `${mountpoint} from ${source}${external === null ? "" : ` (external ${external})`}`;

/** Sockets that a person knows by their names. */
const names = ({ sockets }: Contents): string[] =>
  sockets.flatMap(({ family, type, state, local, remote }) =>
    local === null
      ? []
      : [`${family} ${type} ${local}${remote === null ? "" : ` to ${remote}`} ${state}`],
  );

function several(
  kind: Changed["kind"],
  a: readonly string[],
  b: readonly string[],
  task: number | null = null,
): Changed[] {
  const [first, second] = [new Set(a), new Set(b)];
  return [
    ...[...first]
      .filter((what) => !second.has(what))
      .map((what): Changed => ({ sign: "-", kind, task, what })),
    ...[...second]
      .filter((what) => !first.has(what))
      .map((what): Changed => ({ sign: "+", kind, task, what })),
  ];
}

function tasks(a: Contents, b: Contents): Changed[] {
  const first = new Map(a.tasks.map((task) => [task.pid, task]));
  const second = new Map(b.tasks.map((task) => [task.pid, task]));
  const gone = a.tasks.filter(({ pid }) => !second.has(pid)).map((task) => alone("-", task));
  const come = b.tasks.filter(({ pid }) => !first.has(pid)).map((task) => alone("+", task));
  const both = b.tasks.flatMap((task) => {
    const before = first.get(task.pid);
    return before === undefined ? [] : changesOf(before, task);
  });
  return [...gone, ...come, ...both];
}

const commandOf = ({ argv, command }: ShownTask): string => argv?.join(" ") ?? command;
const alone = (sign: "+" | "-", task: ShownTask): Changed => ({
  sign,
  kind: "task",
  task: task.pid,
  what: commandOf(task),
});

/** What a person would call a change of a task. The words that it was called with are compared where both are known. */
function changesOf(a: ShownTask, b: ShownTask): Changed[] {
  const isKnown = a.argv !== null && b.argv !== null;
  const values = (task: ShownTask): Record<string, string> => ({
    command: isKnown ? commandOf(task) : task.command,
    program: task.program ?? "none",
    directory: task.cwd ?? "none",
    parent: `${task.ppid}`,
    session: `${task.sid}`,
    user: `${task.uid}:${task.gid}`,
    state: task.state,
    threads: `${task.threads.length}`,
    "memory in bytes": `${task.memory}`,
  });
  const [was, is] = [values(a), values(b)];
  const open = ({ files }: ShownTask) => files.map(({ fd, what }) => `${fd} ${what}`);
  return [
    ...Object.keys(was)
      .filter((name) => was[name] !== is[name])
      .map((name): Changed => ({
        sign: "~",
        kind: "task",
        task: b.pid,
        what: `${name}: ${was[name]} -> ${is[name]}`,
      })),
    ...several("file", open(a), open(b), b.pid),
  ];
}
