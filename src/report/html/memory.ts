/** Memory as a picture: an area for each task, in it one for each mapping, in proportion to what the images have of it. */
import type { ShownMapping } from "../../show/mappings.ts";
import type { ShownTask } from "../../show/tasks.ts";
import { count } from "../findings.ts";
import { bytes } from "../show-head.ts";
import { type Html, html } from "./html.ts";
import { type Rectangle, squares } from "./squares.ts";

const WHOLE: Rectangle = { x: 0, y: 0, width: 1120, height: 400 };
/** Drawn by themselves; the smaller ones are one area. */
const MOST_TASKS = 200;
const MOST_MAPPINGS = 150;

/** What a mapping is of, in the legend's order. */
const kinds = {
  anonymous: "anonymous",
  heap: "heap",
  stack: "stack",
  file: "changed pages of files",
  rest: "smaller ones",
} as const;
type Kind = keyof typeof kinds;

export function kindOf(what: string): Kind {
  const name = /^\S+ \S+ ?([^]*)$/.exec(what)?.[1] ?? "";
  if (name === "") return "anonymous";
  if (name === "[heap]") return "heap";
  return name === "[stack]" ? "stack" : "file";
}

interface Area {
  readonly size: number;
  readonly kind: Kind;
  readonly what: string;
}

export function memoryOf(
  tasks: readonly ShownTask[],
  mappings: ReadonlyMap<number, readonly ShownMapping[]>,
): Html {
  const sized = tasks.filter(({ memory }) => memory > 0).sort((a, b) => b.memory - a.memory);
  if (sized.length === 0) return html`<p>The images have no memory of any task of its own.</p>`;
  const drawn = sized.slice(0, MOST_TASKS);
  const others = sized.slice(MOST_TASKS);
  const rest = others.reduce((sum, { memory }) => sum + memory, 0);
  const sizes = [...drawn.map(({ memory }) => memory), ...(rest > 0 ? [rest] : [])];
  const places = squares(sizes, WHOLE);
  const groups = drawn.map((task, at) =>
    taskArea(task, areasOf(mappings.get(task.pid)), places[at]!),
  );
  const last = rest > 0 ? areaOf(places.at(-1)!, restOf(others.length, "task", rest)) : null;
  return html`<svg
      class="memory"
      viewBox="0 0 ${WHOLE.width} ${WHOLE.height}"
      role="group"
      aria-label="Memory by task and mapping"
    >
      ${groups}${last}
    </svg>
    <ul class="legend">
      ${Object.entries(kinds).map(
        ([kind, text]) =>
          html`<li>
            <svg width="12" height="12" aria-hidden="true">
              <rect class="${kind}" width="12" height="12" rx="2" />
            </svg>
            ${text}
          </li>`,
      )}
    </ul>`;
}

const restOf = (n: number, what: string, size: number): Area => ({
  size,
  kind: "rest",
  what: `${count(n, `smaller ${what}`)}`,
});

/** The largest first, the many small ones as one behind them. */
function areasOf(mappings: readonly ShownMapping[] = []): Area[] {
  const all = mappings
    .filter(({ saved }) => saved > 0)
    .map(({ what, saved }): Area => ({ size: saved, kind: kindOf(what), what }))
    .sort((a, b) => b.size - a.size);
  const small = all.slice(MOST_MAPPINGS);
  const size = small.reduce((sum, area) => sum + area.size, 0);
  const areas = all.slice(0, MOST_MAPPINGS);
  if (size === 0) return areas;
  return [...areas, restOf(small.length, "mapping", size)].sort((a, b) => b.size - a.size);
}

/** Narrower areas are not seen. */
const LEAST = 1;
const LETTER = 6.7;
const TOP = 18;

function taskArea(
  { pid, command, memory }: ShownTask,
  areas: readonly Area[],
  place: Rectangle,
): Html {
  const { x, y, width, height } = inner(place, 1.5);
  const long = `${command} ${pid}`;
  const label = [long, command, `${pid}`].find((each) => each.length * LETTER + 8 < width);
  const isLabelled = label !== undefined && height > TOP + 8;
  const top = isLabelled ? TOP : 0;
  const whole = { x, y: y + top, width, height: height - top };
  const parts = squares(
    areas.map(({ size }) => size),
    whole,
  );
  const text = isLabelled
    ? html`<text x="${fixed(x + 4)}" y="${fixed(y + 13)}">${label}</text>`
    : null;
  const size =
    label === long && (long.length + 12) * LETTER < width
      ? html`<text class="dim end" x="${fixed(x + width - 4)}" y="${fixed(y + 13)}"
          >${bytes(memory)}</text
        >`
      : null;
  return html`<a href="#task-${pid}" aria-label="${command} ${pid}, ${bytes(memory)}"
    ><rect
      class="task"
      x="${fixed(x)}"
      y="${fixed(y)}"
      width="${fixed(width)}"
      height="${fixed(height)}"
      rx="3"
      ><title>${command} ${pid}: ${bytes(memory)}</title></rect
    >${text}${isLabelled ? size : null}${areas.map((area, at) => areaOf(parts[at]!, area))}</a
  >`;
}

function areaOf(place: Rectangle, { kind, what, size }: Area): Html | null {
  const { x, y, width, height } = inner(place, 0.5);
  if (width < LEAST || height < LEAST) return null;
  return html`<rect
    class="${kind}"
    x="${fixed(x)}"
    y="${fixed(y)}"
    width="${fixed(width)}"
    height="${fixed(height)}"
    ><title>${what}: ${bytes(size)} saved</title></rect
  >`;
}

const inner = ({ x, y, width, height }: Rectangle, by: number): Rectangle => ({
  x: x + by,
  y: y + by,
  width: Math.max(0, width - 2 * by),
  height: Math.max(0, height - 2 * by),
});
const fixed = (value: number): string => value.toFixed(1);
