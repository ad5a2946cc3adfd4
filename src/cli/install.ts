import { realpathSync } from "node:fs";
import { harmless, line } from "../report/terminal.ts";
import { exitCode } from "../report/outcome.ts";
import { type Change, install, plan, textOf } from "../runtime/install/changes.ts";
import { installationOf, type Target, targets } from "../runtime/install/targets.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

export const installArgs = {
  runtime: {
    type: "string",
    valueHint: targets.filter((target) => target !== "criu").join("|"),
    description: "the runtime, or runtimes with commas",
  },
  criu: { type: "boolean", description: "recriu as criu: first in PATH" },
  "dry-run": { type: "boolean", description: "show what would be written, write nothing" },
  root: {
    type: "string",
    valueHint: "DIR",
    description: "the system below DIR instead of this one",
  },
} as const;

/** The targets that --runtime and --criu name, or undefined after saying what is wrong. */
export function targetsOf(
  command: string,
  values: Record<string, string | boolean | undefined>,
): Target[] | undefined {
  const named = typeof values.runtime === "string" ? values.runtime.split(",") : [];
  const stranger = named.find((name) => !(targets as readonly string[]).includes(name));
  if (stranger !== undefined) {
    line(`recriu ${command}: there is no runtime ${harmless(stranger)}: ${targets.join(", ")}`);
    return undefined;
  }
  return [...(named as Target[]), ...(values.criu === true ? (["criu"] as const) : [])];
}

export const command: Command = {
  meta: {
    name: "install",
    description:
      "Put recriu in a runtime's path. Shows every file and line first; recriu uninstall gives back what was there.",
  },
  args: installArgs,
  run({ rawArgs }): number {
    const parsed = parseStrictly("install", installArgs, rawArgs);
    const chosen = parsed && targetsOf("install", parsed.values);
    if (parsed === undefined || chosen === undefined) return exitCode.usage;
    if (chosen.length === 0) {
      line("recriu install: name one: --runtime=podman|docker|containerd|crio|runc|crun, --criu");
      return exitCode.usage;
    }
    const root = String(parsed.values.root ?? "");
    for (const target of chosen) {
      const { wants, next } = installationOf(target, realpathSync.native(process.execPath));
      const planned = plan(root, wants);
      if (!planned.ok) {
        line(`recriu install: ${target}: ${harmless(planned.problem)}; nothing was written for it`);
        return exitCode.criuFailed;
      }
      for (const change of planned.changes) show(root, change);
      if (parsed.values["dry-run"] === true) continue;
      try {
        install(root, target, wants, planned.changes);
      } catch (error) {
        line(`recriu install: ${target}: ${harmless((error as Error).message)}`);
        line("recriu uninstall gives back what was there");
        return exitCode.criuFailed;
      }
      line(planned.changes.length === 0 ? `${target}: as it shall be` : `${target}: installed`);
      for (const step of next) line(`  next  ${step}`);
    }
    return exitCode.ok;
  },
};

/** A change as lines that are taken out and put in. */
function show(root: string, { path, before, after }: Change): void {
  line(`${root}${path}`);
  if ("link" in after) {
    line(`  + -> ${after.link}`);
    return;
  }
  const [was, is] = [textOf(before)?.split("\n") ?? [], textOf(after)!.split("\n")];
  for (const text of was.filter((each) => !is.includes(each))) line(`  - ${harmless(text)}`);
  for (const text of is.filter((each) => each !== "" && !was.includes(each)))
    line(`  + ${harmless(text)}`);
}
