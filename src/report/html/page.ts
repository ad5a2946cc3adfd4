/**
 * A checkpoint as one page that a browser shows by itself: no script, no request, nothing from elsewhere, and a policy
 * (Content Security Policy 3) under which a name that got through as markup could have none either.
 */
import { createHash } from "node:crypto";
import type { Preflight } from "../../plan/preflight.ts";
import type { Contents } from "../../show/contents.ts";
import type { ShownMapping } from "../../show/mappings.ts";
import { count } from "../findings.ts";
import { bytes, containerParts, day } from "../show-head.ts";
import { aboutOf } from "./about.ts";
import { detailOf } from "./details.ts";
import { findingOf } from "./findings.ts";
import { type Html, html, styled } from "./html.ts";
import { memoryOf } from "./memory.ts";
import style from "./style.css" with { type: "text" };
import { mountsOf, socketsOf } from "./tables.ts";
import { talkOf } from "./talk.ts";
import { byTask, treeOf } from "./tree.ts";

export interface Shown {
  readonly contents: Contents;
  /** By task. */
  readonly mappings: ReadonlyMap<number, readonly ShownMapping[]>;
  /** By task, where they were asked for. */
  readonly environments: ReadonlyMap<number, readonly string[] | null>;
  /** What a restore would meet on this machine; or why that was not looked for. */
  readonly looked: Preflight | { readonly problem: string };
}

/** Tasks in full: of more their number. */
const MOST_DETAILS = 1000;

export function pageOf({ contents, mappings, environments, looked }: Shown): string {
  const { images, tasks } = contents;
  const told = "problem" in looked ? { abouts: [], more: [] } : aboutOf(looked, contents);
  const ofTask = byTask(told.abouts);
  const hash = createHash("sha256").update(style).digest("base64");
  const details = tasks.slice(0, MOST_DETAILS).map((task) =>
    detailOf(task, {
      abouts: ofTask.get(task.pid) ?? [],
      mappings: mappings.get(task.pid),
      environment: environments.get(task.pid),
    }),
  );
  const more = tasks.length - details.length;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${images}: ${count(tasks.length, "task")}</title>
        ${styled(style)}
      </head>
      <body>
        <a class="skip" href="#tree">To the tree</a>
        ${headOf(contents)}
        <nav aria-label="Sections">
          <a href="#restore">Restore</a><a href="#tree">Tree</a><a href="#memory">Memory</a
          ><a href="#talk">Connections</a><a href="#sockets">Sockets</a><a href="#tasks">Tasks</a>
        </nav>
        <main>
          ${restoreOf(looked, told)} ${section("tree", "The tree", treeOf(contents, told.abouts))}
          ${section(
            "memory",
            "Memory",
            html`<p>
                What the images have of each task's own memory,
                ${bytes(tasks.reduce((sum, { memory }) => sum + memory, 0))} together. Memory that
                tasks share is not drawn.
              </p>
              ${memoryOf(tasks, mappings)}`,
          )}
          ${section("talk", "Connections", talkOf(contents))}
          ${section("sockets", "Sockets", socketsOf(contents, told.abouts))}
          ${contents.mounts.length === 0 ? null : section("mounts", "Mounts", mountsOf(contents))}
          ${section("tasks", "Tasks", html`${details}${more > 0 ? html`<p>${more} more tasks: recriu show --pid=N</p>` : null}`)}
        </main>
        <footer><p>Written by recriu show --html. Names are as the images have them.</p></footer>
      </body>
    </html> `;
  return page.text;
}

const section = (id: string, title: string, body: Html): Html =>
  html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${body}
  </section>`;

function headOf({
  images,
  written,
  format,
  architecture,
  tasks,
  memory,
  size,
  compressed,
  incremental,
  namespaces,
  cgroups,
  terminals,
  container,
}: Contents): Html {
  const threads = tasks.reduce((sum, task) => sum + task.threads.length, 0);
  const figures: [string, string][] = [
    [`${tasks.length}`, tasks.length === 1 ? "task" : "tasks"],
    [`${threads}`, threads === 1 ? "thread" : "threads"],
    [
      bytes(memory),
      `of memory${compressed ? ", compressed" : ""}${incremental ? ", more in its parent" : ""}`,
    ],
    [bytes(size), "on disk"],
  ];
  const own = [
    ...containerParts(container),
    ["namespaces of its own", namespaces.join(", ")],
    [
      "cgroups",
      cgroups
        .filter((cgroup) => !cgroup.endsWith(":/"))
        .slice(0, 8)
        .join(", "),
    ],
    ["terminals", [...new Set(terminals)].slice(0, 8).join(", ")],
  ].filter(([, what]) => what !== "");
  return html`<header>
    <p class="dim">checkpoint of ${tasks[0]?.command ?? "no task"}</p>
    <h1>${images}</h1>
    <p class="dim">
      written ${day(written)} UTC, image format ${format ?? "unknown"},
      ${architecture ?? "unknown architecture"}
    </p>
    <ul class="figures">
      ${figures.map(([figure, what]) => html`<li><b>${figure}</b> ${what}</li>`)}
    </ul>
    ${
      own.length === 0
        ? null
        : html`<dl>
            ${own.map(
              ([name, what]) =>
                html`<dt>${name!}</dt>
                  <dd>${what!}</dd>`,
            )}
          </dl>`
    }
  </header>`;
}

/** What the plan comes to, and as which finding it looks. */
const outcomes = {
  ready: ["solved", "It can be restored"],
  repairable: ["solved", "It can be restored: recriu repairs what is missing"],
  blocked: ["blocker", "It cannot be restored as it is"],
  unchecked: ["warning", "Not all checks were run"],
} as const;

function restoreOf(looked: Shown["looked"], { abouts, more }: ReturnType<typeof aboutOf>): Html {
  if ("problem" in looked)
    return section(
      "restore",
      "Restore",
      html`<p class="verdict warning">A restore was not looked at: ${looked.problem}</p>`,
    );
  const { plan, criu, host } = looked;
  const [look, outcome] = outcomes[plan.outcome];
  const counted = (["blocker", "solved", "warning", "info"] as const)
    .map((standing) => ({
      standing,
      n: abouts.filter((about) => about.standing === standing).length,
    }))
    .filter(({ n }) => n > 0)
    .map(({ standing, n }) => {
      const text = /^(blocker|warning)$/.test(standing) ? count(n, standing) : `${n} ${standing}`;
      return html`<span class="mark ${standing}">${text}</span>`;
    });
  const left = more.map(([kind, n]) => html`<p class="dim">${kind}: ${n} more</p>`);
  return section(
    "restore",
    "A restore on this machine",
    html`<p class="verdict ${look}">
        <b>${outcome}</b>
        <span>CRIU ${criu?.version ?? "not found"}, Linux ${host.kernel}</span> ${counted}
      </p>
      <div class="findings">${abouts.map(findingOf)}</div>
      ${left}`,
  );
}
