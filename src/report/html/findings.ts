/** What preflight found, in full: each finding names the tasks that it is about, and those lead here. */
import { typedOption } from "../../sys/shell.ts";
import type { About } from "./about.ts";
import { type Html, html } from "./html.ts";

/** Tasks of a finding that are named. */
const MOST = 24;

const headings = {
  blocker: "blocker",
  solved: "solved by recriu",
  warning: "warning",
  info: "info",
};

export function findingOf({ number, finding, standing, tasks }: About): Html {
  const { id, message, image, criu_message: said, remedy } = finding;
  const typed = remedy.kind === "option" ? typedOption(remedy.option) : remedy.command;
  const shown = [...tasks].slice(0, MOST).map((pid) => html`<a href="#task-${pid}">${pid}</a>`);
  const more = tasks.size > MOST ? html` and ${tasks.size - MOST} more` : null;
  return html`<article class="finding ${standing}" id="finding-${number}" tabindex="-1">
    <h3>${message}</h3>
    <p class="kind">
      <span class="mark ${standing}">${headings[standing]}</span> <code>${id}</code>
    </p>
    <dl>
      ${image === "" ? null : rowOf("where", html`<code>${image}</code>`)}
      ${tasks.size === 0 ? null : rowOf(tasks.size === 1 ? "task" : "tasks", html`${shown}${more}`)}
      ${said === null ? null : rowOf("CRIU says", html`<code>${said}</code>`)}
      ${standing === "info" ? null : rowOf(standing === "solved" ? "recriu will" : "do", html`${remedy.text}`)}
      ${typed === null || standing === "solved" ? null : rowOf("type", html`<code>${typed}</code>`)}
    </dl>
  </article>`;
}

const rowOf = (name: string, what: Html): Html =>
  html`<dt>${name}</dt>
    <dd>${what}</dd>`;
