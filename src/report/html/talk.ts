/** Tasks that talk to each other: a line for each that has a socket to somebody, an arc between two that have the ends of one. */
import type { Contents } from "../../show/contents.ts";
import { hungTasks } from "../../show/hung.ts";
import type { ShownSocket } from "../../show/sockets.ts";
import type { ShownTask } from "../../show/tasks.ts";
import { type Html, html } from "./html.ts";
import { ofFirst, socketName } from "./tree.ts";

const WIDTH = 1120;
/** Where names end and arcs begin. */
const MIDDLE = 440;
const LINE = 17;
/** Arcs, lines of one task, letters of a line: of more their number, or an ellipsis. */
const MOST = 400;
const MOST_LINES = 6;
const MOST_ROWS = 400;
const LETTERS = 56;
/** More arcs than these have their names only where one points at them. */
const NAMED = 16;
/** A socket that many tasks have open: an arc for each of these pairs. */
const MOST_PAIRS = 16;

interface Arc {
  readonly from: number;
  readonly to: number;
  readonly isUnix: boolean;
  readonly names: Set<string>;
}

export function talkOf({ tasks, sockets }: Contents): Html {
  const arcs = arcsOf(sockets);
  const lines = linesOf(sockets);
  const ends = new Set(arcs.flatMap(({ from, to }) => [from, to]));
  const all = hungTasks(tasks)
    .map(({ task }) => task)
    .filter(({ pid }) => lines.has(pid) || ends.has(pid));
  if (all.length === 0) return html`<p>No task has a socket that listens or is connected.</p>`;
  const rows = all.slice(0, MOST_ROWS);
  const tall = rows.map(({ pid }) => 28 + shownLines(lines.get(pid)).length * LINE);
  const tops = tall.map((_, at) => tall.slice(0, at).reduce((sum, height) => sum + height, 0));
  const height = tops.at(-1)! + tall.at(-1)!;
  const heights = new Map(rows.map(({ pid }, at) => [pid, tops[at]! + 15]));
  const drawn = arcs.filter(({ from, to }) => heights.has(from) && heights.has(to)).slice(0, MOST);
  const left = arcs.length - drawn.length;
  const more =
    left + all.length - rows.length === 0
      ? null
      : html`<p>
          ${left} connections and ${all.length - rows.length} tasks more: recriu show --sockets
        </p>`;
  return html`<svg
      class="talk"
      viewBox="0 0 ${WIDTH} ${height}"
      role="group"
      aria-label="Sockets between tasks"
    >
      ${drawn.map((arc) => arcPath(arc, placeOf(arc, heights)))}
      ${drawn.length > NAMED ? null : drawn.map((arc) => arcLabel({ names: [...arc.names] }, placeOf(arc, heights)))}
      ${rows.map((task, at) => taskLines(task, tops[at]!, shownLines(lines.get(task.pid))))}
    </svg>
    <ul class="legend">
      <li>
        <svg width="22" height="8" aria-hidden="true"><path class="unix" d="M0 4H22" /></svg> unix
      </li>
      <li>
        <svg width="22" height="8" aria-hidden="true"><path class="inet" d="M0 4H22" /></svg> TCP,
        UDP
      </li>
    </ul>
    ${more}`;
}

/** One for each pair of tasks and family, with the names of all their sockets. */
function arcsOf(sockets: readonly ShownSocket[]): Arc[] {
  const arcs = new Map<string, Arc>();
  for (const socket of sockets) {
    const isUnix = socket.family === "unix";
    const pairs = socket.tasks
      .slice(0, MOST_PAIRS)
      .flatMap((from) => socket.peers.slice(0, MOST_PAIRS).map((to) => [from, to] as const))
      .filter(([from, to]) => from !== to)
      .slice(0, MOST_PAIRS);
    for (const [one, other] of pairs) {
      const [from, to] = one < other ? [one, other] : [other, one];
      const key = `${from} ${to} ${isUnix}`;
      const arc = arcs.get(key) ?? { from, to, isUnix, names: new Set() };
      // Of two ends the one that has a name says what they are.
      const name = socket.local ?? socket.remote;
      if (name !== null) arc.names.add(socketName({ ...socket, local: name }));
      arcs.set(key, arc);
    }
  }
  return [...arcs.values()];
}

/** What each task listens on, and to whom outside of the tree it is connected. */
function linesOf(sockets: readonly ShownSocket[]): Map<number, string[]> {
  const lines = new Map<number, string[]>();
  for (const socket of sockets) {
    const isOutside = socket.remote !== null && socket.peers.length === 0;
    const { name, tasks } = ofFirst(socket);
    const line =
      socket.state === "listening"
        ? `listens ${name}`
        : isOutside && socket.state === "connected"
          ? `outside ${name} to ${socket.remote}`
          : undefined;
    if (line === undefined) continue;
    for (const pid of tasks) {
      const own = lines.get(pid);
      if (own === undefined) lines.set(pid, [line]);
      else own.push(line);
    }
  }
  return lines;
}

const shownLines = (lines: readonly string[] = []): readonly string[] =>
  lines.length <= MOST_LINES
    ? lines
    : [...lines.slice(0, MOST_LINES - 1), `and ${lines.length - MOST_LINES + 1} more`];

const cut = (text: string): string =>
  text.length <= LETTERS ? text : `${text.slice(0, LETTERS - 1)}…`;

function taskLines({ pid, command }: ShownTask, top: number, lines: readonly string[]): Html {
  const below = lines.map(
    (line, at) =>
      html`<text class="dim end" x="${MIDDLE - 14}" y="${top + 35 + at * LINE}"
        >${cut(line)}</text
      >`,
  );
  return html`<a href="#task-${pid}"
      ><circle cx="${MIDDLE}" cy="${top + 15}" r="4" /><text
        class="end"
        x="${MIDDLE - 14}"
        y="${top + 19}"
        ><tspan class="name">${cut(command)}</tspan> ${pid}</text
      ></a
    >${below}`;
}

function arcPath({ from, to, isUnix, names }: Arc, place: Place): Html {
  const name = names.size === 0 ? "a pair without a name" : [...names].slice(0, 8).join(", ");
  const { a, b, out } = place;
  const x = (MIDDLE + out).toFixed(0);
  return html`<path
    class="${isUnix ? "unix" : "inet"}"
    d="M${MIDDLE} ${a}C${x} ${a} ${x} ${b} ${MIDDLE} ${b}"
    ><title>${from} and ${to}: ${name}</title></path
  >`;
}

function arcLabel(
  { names: [first, ...others] }: { names: readonly string[] },
  { a, b, out }: Place,
): Html | null {
  if (first === undefined) return null;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  // Three quarters of the way out is where such a curve turns.
  const x = (MIDDLE + out * 0.75 + 8).toFixed(0);
  return html`<text class="dim label" x="${x}" y="${((a + b) / 2 + 4).toFixed(0)}"
    >${cut(first)}${more}</text
  >`;
}

/** Where an arc begins and ends, and how far its handles are. */
interface Place {
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

function placeOf({ from, to }: Arc, heights: ReadonlyMap<number, number>): Place {
  const [a, b] = [heights.get(from)!, heights.get(to)!];
  return { a, b, out: Math.min(WIDTH - MIDDLE - 30, 70 + Math.abs(b - a) * 0.55) };
}
