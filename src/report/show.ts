/** A checkpoint's contents as a person reads them: one header, the tree, what is special; the rest where it is asked for. */
import type { Contents } from "../show/contents.ts";
import { columnsOf } from "../sys/descriptors.ts";
import { hungTasks } from "../show/hung.ts";
import type { ShownMapping } from "../show/mappings.ts";
import type { ShownSocket } from "../show/sockets.ts";
import type { ShownTask } from "../show/tasks.ts";
import { bytes, day, headOf } from "./show-head.ts";
import { harmless, printText } from "./terminal.ts";

/** What is shown beside the header and the tree. */
interface Sections {
  /** Tasks of the checkpoint; those in the contents may be fewer. */
  readonly all: number;
  readonly files: boolean;
  readonly sockets: boolean;
  readonly mounts: boolean;
  /** Mappings and environments of tasks, by pid. */
  readonly mappings: ReadonlyMap<number, readonly ShownMapping[]>;
  readonly environments: ReadonlyMap<number, readonly string[] | null>;
}

export const printContents = (...shown: Parameters<typeof contentsText>): void =>
  printText(contentsText(...shown));

export function contentsText(
  contents: Contents,
  format: "tree" | "table",
  sections: Sections,
): string {
  const blocks = [
    headOf(contents, sections.all),
    treeOf(contents.tasks, format),
    specialOf(contents),
    ...contents.tasks.map((task) => detailsOf(task, sections)),
    sections.sockets ? socketsOf(contents.sockets) : [],
    sections.mounts ? mountsOf(contents) : [],
  ];
  const text = blocks.filter((block) => block.length > 0).map((block) => block.join("\n"));
  return text.join("\n\n");
}

/** A directory of checkpoints: a line each. `undefined`: it could not be read. */
export function printCheckpoints(all: readonly (readonly [string, Contents | string])[]): void {
  const rows = all.map(([name, of]) =>
    typeof of === "string"
      ? [name, "", "", "", "", of]
      : [
          name,
          day(of.written),
          `${of.tasks.length}`,
          bytes(of.memory),
          bytes(of.size),
          commandOf(of.tasks[0]),
        ],
  );
  printText(
    aligned([["CHECKPOINT", "WRITTEN", "TASKS", "MEMORY", "SIZE", "COMMAND"], ...rows]).join("\n"),
  );
}

/** Longer command lines are cut, but for the room that a terminal has. */
const WIDEST = 100;
const NARROWEST = 20;
function commandOf(task: ShownTask | undefined, most = WIDEST): string {
  if (task === undefined) return "no task";
  const words = task.argv?.join(" ") ?? `[${task.command}]`;
  const text = harmless(words);
  const room = Math.max(most, NARROWEST);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

function treeOf(tasks: readonly ShownTask[], format: "tree" | "table"): string[] {
  const hung = hungTasks(tasks);
  const rows = hung.map(({ task }) => [
    `${task.pid}`,
    format === "table" ? `${task.ppid}` : "",
    `${task.uid ?? "?"}`,
    task.state,
    bytes(task.memory),
    `${task.files.length}`,
  ]);
  const head = ["PID", format === "table" ? "PPID" : "", "UID", "STATE", "MEMORY", "FDS"];
  const [names, ...lines] = aligned([head, ...rows], [0, 1, 2, 4, 5]);
  const columns = columnsOf(1);
  return [
    `${names}  COMMAND`,
    ...hung.map(({ task, follows }, at) => {
      const levels = follows.map((follow, level) =>
        level < follows.length - 1 ? (follow ? "│  " : "   ") : follow ? "├─ " : "└─ ",
      );
      const before = `${lines[at]}  ${format === "table" ? "" : levels.join("")}`;
      const threads = task.threads.length > 1 ? `  {${task.threads.length} threads}` : "";
      const room = columns && columns - before.length - threads.length;
      return `${before}${commandOf(task, room)}${threads}`;
    }),
  ];
}

/** What a person would ask next: what listens, on which terminals it is, what is its own. */
function specialOf(contents: Contents): string[] {
  const { sockets, terminals, cgroups, namespaces, tasks, binary_formats } = contents;
  const line = (name: string, of: readonly string[]): string[] =>
    of.length === 0 ? [] : [`${name.padEnd(11)} ${harmless(few(of))}`];
  const listening = sockets.filter(({ state }) => state === "listening");
  const outside = sockets.filter(
    ({ family, state, peers }) =>
      family.startsWith("inet") && state === "connected" && peers.length === 0,
  );
  const realtime = tasks.flatMap(({ threads }) =>
    threads
      .filter(({ policy }) => policy !== "SCHED_OTHER")
      .map(
        ({ tid, policy, priority }) => `${tid} ${policy}${priority === 0 ? "" : ` ${priority}`}`,
      ),
  );
  const placed = cgroups.filter((cgroup) => !cgroup.endsWith(":/"));
  return [
    ...line(
      "listens",
      listening.map(
        (socket) =>
          `${socket.family === "unix" ? "unix" : socket.type} ${socket.local ?? "without a name"} (${socket.tasks.join(" ")})`,
      ),
    ),
    ...line(
      "connected",
      outside.map(
        (socket) =>
          `${socket.type} ${socket.local} to ${socket.remote} (${socket.tasks.join(" ")})`,
      ),
    ),
    ...line("terminals", [...new Set(terminals)]),
    ...line("scheduling", realtime),
    ...line("namespaces", namespaces),
    ...line("cgroups", placed),
    ...line("formats", binary_formats),
  ];
}

const FEW = 12;
const few = (texts: readonly string[]): string =>
  texts.slice(0, FEW).join(", ") + (texts.length > FEW ? ` and ${texts.length - FEW} more` : "");

function detailsOf(task: ShownTask, { files, mappings, environments }: Sections): string[] {
  const maps = mappings.get(task.pid);
  const environment = environments.get(task.pid);
  const lines = [
    ...(files ? filesOf(task) : []),
    ...(maps === undefined ? [] : mappingsOf(maps)),
    ...(environment === undefined
      ? []
      : environment === null
        ? ["  its environment is not in the images"]
        : environment.map((word) => `  ${harmless(word)}`)),
  ];
  return lines.length === 0 ? [] : [`${task.pid} ${commandOf(task)}`, ...lines];
}

const mappingsOf = (maps: readonly ShownMapping[]): string[] =>
  aligned(
    maps.map(({ what, bytes: size, saved }) => [
      "",
      bytes(size),
      `${bytes(saved)} saved`,
      harmless(what),
    ]),
    [1, 2],
  );

export const printMappings = (maps: readonly ShownMapping[]): void =>
  printText(mappingsOf(maps).join("\n"));

function filesOf({ program, cwd, root, pgid, sid, gid, threads, pid, files }: ShownTask): string[] {
  return [
    `  program ${harmless(program ?? "none")}, in ${harmless(cwd ?? "no directory")}${root === null || root === "/" ? "" : `, root ${harmless(root)}`}; group ${pgid}, session ${sid}, gid ${gid ?? "?"}`,
    ...threads
      .filter(({ tid, policy, nice }) => tid !== pid || policy !== "SCHED_OTHER" || nice !== 0)
      .map(
        ({ tid, name, policy, priority, nice }) =>
          `  thread ${tid} ${harmless(name)}: ${policy} priority ${priority} nice ${nice}`,
      ),
    ...files.map(({ fd, what }) => `  ${String(fd).padStart(5)}  ${harmless(what)}`),
  ];
}

function socketsOf(sockets: readonly ShownSocket[]): string[] {
  if (sockets.length === 0) return ["no sockets"];
  return aligned([
    ["SOCKET", "TYPE", "STATE", "LOCAL", "REMOTE", "TASKS", "PEERS", "WAITING"],
    ...sockets.map(({ family, type, state, local, remote, tasks, peers, waiting, senders }) => [
      family,
      type,
      state,
      harmless(local ?? "-"),
      harmless(remote ?? "-"),
      few(tasks.map(String)),
      peers.length === 0 ? "-" : few(peers.map(String)),
      waiting === 0 ? "-" : `${waiting}${senders.length === 0 ? "" : ` from ${few(senders)}`}`,
    ]),
  ]);
}

function mountsOf({ mounts }: Contents): string[] {
  if (mounts.length === 0) return ["no mounts of its own"];
  return aligned([
    ["MOUNTPOINT", "SOURCE", "EXTERNAL"],
    ...mounts.map(({ mountpoint, source, external }) => [
      harmless(mountpoint),
      harmless(source),
      harmless(external ?? "-"),
    ]),
  ]);
}

/** Columns of one width, those of `right` to the right; empty ones are left out, and the last one is as long as it is. */
function aligned(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const [head = []] = rows;
  const widths = head.map((_, at) =>
    rows.reduce((widest, row) => Math.max(widest, row[at]!.length), 0),
  );
  const columns = widths.flatMap((width, at) => (width > 0 ? [{ at, width }] : []));
  return rows.map((row) =>
    columns
      .map(({ at, width }) => {
        if (right.includes(at)) return row[at]!.padStart(width);
        return at === row.length - 1 ? row[at]! : row[at]!.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
