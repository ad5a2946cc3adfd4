/** Which task, file or mount each finding is about, so that it stands beside that. */
import { countOf } from "../../checks/grouped.ts";
import type { Finding } from "../../checks/index.ts";
import type { Preflight } from "../../plan/preflight.ts";
import type { Contents } from "../../show/contents.ts";
import { type Standing, standingOf } from "../findings.ts";
import { firstOfEach } from "../kinds.ts";
import { type Html, html } from "./html.ts";

export interface About {
  /** Its number on the page. */
  readonly number: number;
  readonly finding: Finding;
  readonly standing: Standing;
  /** Those that it names, or that have its file open. */
  readonly tasks: ReadonlySet<number>;
  /** Its entry in files.img. */
  readonly file: number | undefined;
}

/** Of one kind; of the others their number. */
const MOST = 100;

export function aboutOf(
  { findings, plan }: Preflight,
  { tasks }: Contents,
): { abouts: About[]; more: [kind: string, count: number][] } {
  const known = new Set(tasks.map(({ pid }) => pid));
  const open = tasks.flatMap(({ pid, files }) => files.map(({ id }) => ({ id, pid })));
  const holders = Map.groupBy(open, ({ id }) => id);
  const told = findings.map((finding) => ({ finding, standing: standingOf(finding, plan) }));
  const { first, more } = firstOfEach(
    told,
    ({ finding, standing }) => `${standing}[${finding.id}]`,
    MOST,
    (of) => countOf(of.map(({ finding }) => finding)),
  );
  const abouts = first
    .sort((a, b) => order.indexOf(a.standing) - order.indexOf(b.standing))
    .map(({ finding, standing }, number): About => {
      const { image, task, tasks: several } = finding;
      const id = /^files\.img id (0x[0-9a-f]+)/.exec(image)?.[1];
      const file = id === undefined ? undefined : Number(id);
      const pid = Number(/^(?:core|mm|fs|ids|pagemap)-(\d+)\.img/.exec(image)?.[1] ?? task ?? 0);
      const named = several ?? [pid];
      const own = named.filter((each) => known.has(each));
      const having =
        own.length > 0 || file === undefined
          ? own
          : (holders.get(file) ?? []).map(({ pid: holder }) => holder);
      return { number, finding, standing, tasks: new Set(having), file };
    });
  return { abouts, more };
}

const order: readonly Standing[] = ["blocker", "solved", "warning", "info"];

/** A mark for each kind of them, which leads to the first. */
export const marksOf = (abouts: readonly About[]): Html[] =>
  [...Map.groupBy(abouts, ({ standing, finding }) => `${standing} ${finding.id}`).values()].map(
    (alike) => {
      const { number, standing, finding } = alike[0]!;
      const times = alike.length === 1 ? "" : ` ×${alike.length}`;
      return html`<a class="mark ${standing}" href="#finding-${number}" title="${finding.message}"
        >${finding.id}${times}</a
      >`;
    },
  );
