/** What stands in tables: sockets, and mounts of the tree's own. */
import type { Contents } from "../../show/contents.ts";
import { type About, marksOf } from "./about.ts";
import { type Html, html } from "./html.ts";

/** Rows; of more their number. */
const MOST = 1000;

export function socketsOf({ sockets }: Contents, abouts: readonly About[]): Html {
  if (sockets.length === 0) return html`<p>There are none.</p>`;
  const link = (pids: readonly number[]) => {
    const shown = pids.slice(0, 8).map((pid) => html`<a href="#task-${pid}">${pid}</a>`);
    return html`${shown}${pids.length > 8 ? html` and ${pids.length - 8} more` : null}`;
  };
  const about = Map.groupBy(abouts, ({ file }) => file);
  const rows = sockets.slice(0, MOST).map(
    ({ id, family, type, state, local, remote, tasks, peers, waiting }) =>
      html`<tr>
        <td>${family}</td>
        <td>${type}</td>
        <td>${state}</td>
        <td><code>${local ?? "–"}</code></td>
        <td><code>${remote ?? "–"}</code></td>
        <td>${link(tasks)}</td>
        <td>${link(peers)}</td>
        <td class="n">${waiting === 0 ? "" : waiting}</td>
        <td class="notes">${marksOf(about.get(id) ?? [])}</td>
      </tr>`,
  );
  const more = sockets.length - rows.length;
  return html`<div class="wide">
      <table>
        <thead>
          <tr>
            <th>Family</th>
            <th>Type</th>
            <th>State</th>
            <th>Local</th>
            <th>Remote</th>
            <th>Tasks</th>
            <th>Other end</th>
            <th class="n">Waiting</th>
            <th></th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${more > 0 ? html`<p>${more} more: recriu show --sockets</p>` : null}`;
}

export function mountsOf({ mounts }: Contents): Html {
  const rows = mounts.slice(0, MOST).map(
    ({ mountpoint, source, external }) =>
      html`<tr>
        <td><code>${mountpoint}</code></td>
        <td><code>${source}</code></td>
        <td><code>${external ?? ""}</code></td>
      </tr>`,
  );
  return html`<table>
    <thead>
      <tr>
        <th>Mountpoint</th>
        <th>Source</th>
        <th>External</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
