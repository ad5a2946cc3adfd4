/** The tree: a row a task, with the branches drawn before its command and what is said of it behind. */
import type { Contents } from "../../show/contents.ts";
import { type Hung, hungTasks } from "../../show/hung.ts";
import type { ShownSocket } from "../../show/sockets.ts";
import type { ShownTask } from "../../show/tasks.ts";
import { bytes } from "../show-head.ts";
import { type About, marksOf } from "./about.ts";
import { type Html, html } from "./html.ts";

/** Of a branch and of a row, in pixels: the lines of one row go on in the next. */
const STEP = 18;
const HIGH = 30;
const BAR = 64;
/** Rows; of more their number. */
const MOST = 5000;
const MOST_LISTENING = 3;

export const commandOf = ({ argv, command }: ShownTask): string =>
  (argv?.join(" ") ?? `[${command}]`).slice(0, 2000);

/** Socket's name as it is said: `tcp 0.0.0.0:80`, `unix /run/x`. */
export const socketName = ({ family, type, local }: ShownSocket): string =>
  `${family === "unix" ? "unix" : type} ${local ?? "without a name"}`;

/** A socket stands with the first task that has it; of the others, which most often are its children, their number. */
export const ofFirst = (socket: ShownSocket): { name: string; tasks: readonly number[] } => ({
  name: `${socketName(socket)}${socket.tasks.length > 1 ? ` (${socket.tasks.length} tasks)` : ""}`,
  tasks: socket.tasks.slice(0, 1),
});

/** What has tasks, by each of them. */
export function byTask<T extends { readonly tasks: Iterable<number> }>(
  things: readonly T[],
): ReadonlyMap<number, readonly T[]> {
  const by = new Map<number, T[]>();
  for (const thing of things)
    for (const pid of thing.tasks) {
      const own = by.get(pid);
      if (own === undefined) by.set(pid, [thing]);
      else own.push(thing);
    }
  return by;
}

export function treeOf({ tasks, sockets }: Contents, abouts: readonly About[]): Html {
  const largest = Math.max(1, ...tasks.map(({ memory }) => memory));
  const listening = byTask(sockets.filter(({ state }) => state === "listening").map(ofFirst));
  const told = byTask(abouts);
  const ofTask = (pid: number) => ({
    listens: (listening.get(pid) ?? []).map(({ name }) => name),
    marks: marksOf(told.get(pid) ?? []),
  });
  const rows = hungTasks(tasks)
    .slice(0, MOST)
    .map((hung) => row(hung, largest, ofTask(hung.task.pid)));
  const more =
    tasks.length > MOST ? html`<p>${tasks.length - MOST} more tasks: recriu show</p>` : null;
  return html`<table class="tree">
      <colgroup>
        <col class="command" />
        <col class="pid" />
        <col class="few" />
        <col class="size" />
        <col class="few" />
        <col class="few" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Command</th>
          <th scope="col" class="n">PID</th>
          <th scope="col" class="n">User</th>
          <th scope="col">Memory</th>
          <th scope="col" class="n">Threads</th>
          <th scope="col" class="n">Files</th>
          <th scope="col">Notes</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${more}`;
}

function row(
  { task, follows }: Hung,
  largest: number,
  { listens, marks }: { listens: readonly string[]; marks: readonly Html[] },
): Html {
  const { pid, uid, state, memory, threads, files } = task;
  const command = commandOf(task);
  const width = ((memory / largest) * BAR).toFixed(1);
  const first = listens.slice(0, MOST_LISTENING);
  const others = listens.length - first.length;
  const more = others === 0 ? null : html`<span class="note">and ${others} more</span>`;
  return html`<tr>
    <td class="command">
      <div>
        ${branches(follows, state)}<a href="#task-${pid}" title="${command}">${named(task)}</a>
      </div>
    </td>
    <td class="n">${pid}</td>
    <td class="n">${uid ?? "?"}</td>
    <td class="size">
      <svg width="${BAR}" height="8" aria-hidden="true">
        <rect class="rail" width="${BAR}" height="8" rx="2" />
        <rect class="bar" width="${width}" height="8" rx="2" />
      </svg>
      ${bytes(memory)}
    </td>
    <td class="n">${threads.length}</td>
    <td class="n">${files.length}</td>
    <td class="notes">
      ${state === "alive" ? null : html`<span class="note">${state}</span>`}${marks}${first.map((each) => html`<span class="note" title="listens: ${each}">${each}</span>`)}${more}
    </td>
  </tr>`;
}

/** The program's own name stands out of its path and words. */
function named(task: ShownTask): Html {
  const [, path = "", name = "", words = ""] = /^((?:\S*\/)?)(\S*)([^]*)$/.exec(commandOf(task))!;
  return html`<span class="dim">${path}</span><b>${name}</b><span class="dim">${words}</span>`;
}

/** Lines from a task to its parent and past it to its siblings, and a dot that is the task. */
function branches(follows: readonly boolean[], state: string): Html {
  const middle = HIGH / 2;
  const lines = follows.map((follow, level) => {
    const x = level * STEP + 9;
    if (level < follows.length - 1) return follow ? `M${x} 0V${HIGH}` : "";
    return `M${x} 0V${follow ? HIGH : middle}M${x} ${middle}H${x + STEP - 4}`;
  });
  const x = follows.length * STEP + 9;
  return html`<svg class="branches" width="${x + 9}" height="${HIGH}" aria-hidden="true">
    <path d="${lines.join("")}" />
    <circle class="${state === "alive" ? "alive" : "halted"}" cx="${x}" cy="${middle}" r="3.5" />
  </svg>`;
}
