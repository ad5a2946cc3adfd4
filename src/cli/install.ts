import { realpathSync } from "node:fs";
import { changeLines, type Shown } from "../report/changes.ts";
import { exitCode } from "../report/outcome.ts";
import { refused, said, type Told, tellLines } from "../report/told.ts";
import { type Change, install, plan, textOf, uninstall } from "../runtime/install/changes.ts";
import { flagOf, readsElsewhere, startedWith } from "../runtime/install/daemon.ts";
import { harmBetween, viewOf } from "../runtime/install/judge.ts";
import { installationOf, type Target, targets } from "../runtime/install/targets.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

export const installArgs = {
  runtime: {
    type: "string",
    valueHint: `${targets.filter((target) => target !== "criu").join("|")},…`,
    description: "the runtimes to guard, with commas between",
  },
  criu: { type: "boolean", description: "put recriu first in PATH, by the name of criu" },
  "dry-run": { type: "boolean", description: "show what would be written, and write nothing" },
  root: {
    type: "string",
    valueHint: "DIR",
    description: "change the system below DIR instead of this one",
  },
} as const;

/** The targets that --runtime and --criu name, or what is wrong with the words. */
export function targetsOf(
  command: string,
  words: string[],
): { ok: true; chosen: Target[]; root: string; dryRun: boolean } | { ok: false; told: Told } {
  const parsed = parseStrictly(command, installArgs, words);
  if (!parsed.ok) return parsed;
  const { runtime, criu, root = "", "dry-run": dryRun } = parsed.values;
  const named = typeof runtime === "string" ? runtime.split(",") : [];
  const stranger = named.find((name) => !(targets as readonly string[]).includes(name));
  if (stranger !== undefined) {
    const problem = `there is no runtime ${stranger}: ${targets.join(", ")}`;
    return { ok: false, told: refused(command, exitCode.usage, problem) };
  }
  const chosen = [...(named as Target[]), ...(criu === true ? (["criu"] as const) : [])];
  return { ok: true, chosen, root: String(root), dryRun: dryRun === true };
}

export const command: Command = {
  meta: {
    name: "install",
    description:
      "Put recriu in a runtime's path. Shows every file and line first; recriu uninstall gives back what was there.",
  },
  args: installArgs,
  async run({ rawArgs }): Promise<Told> {
    const asked = targetsOf("install", rawArgs);
    if (!asked.ok) return asked.told;
    const { chosen, root, dryRun } = asked;
    if (chosen.length === 0)
      return refused(
        "install",
        exitCode.usage,
        "name one: --runtime=podman|docker|containerd|crio|runc|crun, --criu",
      );
    for (const target of chosen) {
      // Another system's programs are not looked at.
      const started = root === "" ? startedWith(target, process.env) : undefined;
      const hasDefault =
        started !== undefined && flagOf(started, ["--default-runtime"]) !== undefined;
      const { wants, next } = installationOf(target, ownPath(root), hasDefault);
      const elsewhere = readsElsewhere(target, started);
      const planned: ReturnType<typeof plan> =
        elsewhere === undefined ? plan(root, wants) : { ok: false, problem: elsewhere };
      if (!planned.ok)
        return refused(
          "install",
          exitCode.criuFailed,
          `${target}: ${planned.problem}; nothing was written for it`,
        );
      const { changes } = planned;
      // Shown before anything is written.
      tellLines(changes.flatMap((change) => changeLines(shown(root, change))));
      if (dryRun) continue;
      // Another system's programs are not run.
      const judged = root === "" && changes.length > 0;
      const view = () => (judged ? viewOf(target, process.env) : undefined);
      const before = await view();
      try {
        install(root, target, wants, changes);
      } catch (error) {
        const { exit, lines = [] } = refused(
          "install",
          exitCode.criuFailed,
          `${target}: ${(error as Error).message}`,
        );
        return { exit, lines: [...lines, said`recriu uninstall gives back what was there`] };
      }
      const after = await view();
      const harm = before && after && harmBetween(before, after);
      if (harm !== undefined) {
        const left = uninstall(root, target);
        const { exit, lines = [] } = refused("install", exitCode.criuFailed, `${target}: ${harm}`);
        const back = left.length === 0 ? [said`what was written is taken back`] : [];
        return { exit, lines: [...lines, ...back, ...left.map((each) => said`${each}`)] };
      }
      tellLines([
        changes.length === 0 ? said`${target}: as it shall be` : said`${target}: installed`,
        ...next.map((step) => said`  next  ${step}`),
      ]);
    }
    return { exit: exitCode.ok };
  },
};

/** recriu's own path as the system below `root` has it, where it is there. */
function ownPath(root: string): string {
  const path = realpathSync.native(process.execPath);
  const below = root === "" ? undefined : realpathSync.native(root);
  return below !== undefined && below !== "/" && path.startsWith(`${below}/`)
    ? path.slice(below.length)
    : path;
}

const shown = (root: string, { path, before, after }: Change): Shown => ({
  path: `${root}${path}`,
  before: textOf(before),
  after: "link" in after ? after : { text: textOf(after)! },
});
