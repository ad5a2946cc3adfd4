/** A task in full, folded up until it is wanted: what it was, had open and mapped, and what was found about it. */
import type { ShownMapping } from "../../show/mappings.ts";
import type { ShownTask } from "../../show/tasks.ts";
import { count } from "../findings.ts";
import { bytes } from "../show-head.ts";
import { type About, marksOf } from "./about.ts";
import { type Html, html } from "./html.ts";
import { kindOf } from "./memory.ts";
import { commandOf } from "./tree.ts";

/** Rows of one table; of more their number. */
const MOST_FILES = 300;
const MOST_MAPPINGS = 120;
const MOST_WORDS = 300;
const BAR = 80;

interface Detail {
  readonly abouts: readonly About[];
  readonly mappings: readonly ShownMapping[] | undefined;
  /** undefined: it was not asked for. */
  readonly environment: readonly string[] | null | undefined;
}

export function detailOf(task: ShownTask, { abouts, mappings, environment }: Detail): Html {
  const { pid, ppid, pgid, sid, uid, gid, program, cwd, root, memory, files, threads } = task;
  const marks = abouts.length === 0 ? null : html`<p class="notes">${marksOf(abouts)}</p>`;
  return html`<details>
    <summary>
      <b>${pid}</b> ${commandOf(task)}
      <span class="dim">${bytes(memory)}, ${count(files.length, "file")}</span>
    </summary>
    <div class="detail" id="task-${pid}" tabindex="-1">
      ${marks}
      <dl>
        <dt>command</dt>
        <dd><code>${commandOf(task)}</code></dd>
        <dt>program</dt>
        <dd><code>${program ?? "none"}</code></dd>
        <dt>directory</dt>
        <dd><code>${cwd ?? "none"}</code></dd>
        <dt>root</dt>
        <dd><code>${root ?? "none"}</code></dd>
        <dt>numbers</dt>
        <dd>
          parent ${ppid}, group ${pgid}, session ${sid}, user ${uid ?? "?"}, group ${gid ?? "?"}
        </dd>
      </dl>
      ${threadsOf(threads, pid)}${filesOf(files, abouts)}${mappings === undefined ? null : mappingsOf(mappings)}${environmentOf(environment)}
    </div>
  </details>`;
}

/** Those that are otherwise than threads are. */
function threadsOf(threads: ShownTask["threads"], pid: number): Html | null {
  const special = threads.filter(
    ({ tid, policy, nice }) => tid !== pid || policy !== "SCHED_OTHER" || nice !== 0,
  );
  if (special.length === 0) return null;
  const rows = special.slice(0, MOST_FILES).map(
    ({ tid, name, policy, priority, nice }) =>
      html`<tr>
        <td class="n">${tid}</td>
        <td>${name}</td>
        <td>${policy}</td>
        <td class="n">${priority}</td>
        <td class="n">${nice}</td>
      </tr>`,
  );
  return html`<table>
      <caption>
        ${count(threads.length, "thread")}
      </caption>
      <thead>
        <tr>
          <th class="n">TID</th>
          <th>Name</th>
          <th>Scheduling</th>
          <th class="n">Priority</th>
          <th class="n">Nice</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${moreOf(special.length, MOST_FILES)}`;
}

function filesOf(files: ShownTask["files"], abouts: readonly About[]): Html | null {
  if (files.length === 0) return null;
  const rows = files.slice(0, MOST_FILES).map(
    ({ fd, id, what }) =>
      html`<tr>
        <td class="n">${fd}</td>
        <td><code>${what}</code> ${marksOf(abouts.filter(({ file }) => file === id))}</td>
      </tr>`,
  );
  return html`<table>
      <caption>
        ${count(files.length, "descriptor")}
      </caption>
      <thead>
        <tr>
          <th class="n">FD</th>
          <th>What it is</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${moreOf(files.length, MOST_FILES)}`;
}

/** The largest part of it in the images first. */
function mappingsOf(mappings: readonly ShownMapping[]): Html | null {
  if (mappings.length === 0) return null;
  const sorted = mappings.toSorted((a, b) => b.saved - a.saved);
  const rows = sorted.slice(0, MOST_MAPPINGS).map(({ what, bytes: size, saved }) => {
    const [, place = what, name = ""] = /^(\S+ \S+) ?([^]*)$/.exec(what) ?? [];
    const part = size === 0 ? 0 : Math.min(1, saved / size) * BAR;
    return html`<tr>
      <td><code>${place}</code></td>
      <td><code>${name}</code></td>
      <td class="n">${bytes(size)}</td>
      <td class="n">${bytes(saved)}</td>
      <td>
        <svg width="${BAR}" height="8" aria-hidden="true">
          <rect class="rail" width="${BAR}" height="8" rx="2" />
          <rect class="${kindOf(what)}" width="${part.toFixed(1)}" height="8" rx="2" />
        </svg>
      </td>
    </tr>`;
  });
  return html`<table>
      <caption>
        ${count(mappings.length, "mapping")}
      </caption>
      <thead>
        <tr>
          <th>Addresses</th>
          <th>Of</th>
          <th class="n">Size</th>
          <th class="n">Saved</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${moreOf(mappings.length, MOST_MAPPINGS)}`;
}

function environmentOf(words: readonly string[] | null | undefined): Html | null {
  if (words === undefined) return null;
  if (words === null) return html`<p>Its environment is not in the images.</p>`;
  const rows = words.slice(0, MOST_WORDS).map(
    (word) =>
      html`<tr>
        <td><code>${word}</code></td>
      </tr>`,
  );
  return html`<table>
      <caption>
        Environment
      </caption>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${moreOf(words.length, MOST_WORDS)}`;
}

const moreOf = (all: number, most: number): Html | null =>
  all > most ? html`<p class="dim">and ${all - most} more</p>` : null;
