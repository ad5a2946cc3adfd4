import { printChanged } from "../report/diff.ts";
import type { DiffDocument } from "../report/documents.ts";
import { exitCode } from "../report/outcome.ts";
import { refused, type Told } from "../report/told.ts";
import { compareContents } from "../show/compare.ts";
import { settled } from "../sys/garbage.ts";
import { type Contents, contentsOf } from "../show/contents.ts";
import { parseStrictly } from "./arguments.ts";
import { findImages } from "./found.ts";
import { lookAt } from "./look.ts";
import type { Command } from "./command.ts";

const args = {
  a: { type: "positional", required: true, description: "a checkpoint's directory or archive" },
  b: { type: "positional", required: true, description: "a later checkpoint of the same tree" },
  json: { type: "boolean", description: "print one JSON document on stdout" },
} as const;

export const command: Command = {
  meta: {
    name: "diff",
    description:
      "Compare two checkpoints: tasks, memory, files, sockets, mounts, and what a restore of the second would need here that the first did not. Exits 1 when they differ.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("diff", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const { operands: names, values } = parsed;
    if (names.length !== 2)
      return refused(
        "diff",
        exitCode.usage,
        `it takes two checkpoints, and ${names.length} were named`,
      );
    const looked: Looked[] = [];
    const begun = process.memoryUsage.rss();
    for (const name of names) {
      await settled(begun);
      const one = await look(name);
      if ("problem" in one) return refused("diff", one.exit, one.problem);
      looked.push(one);
    }
    const [a, b] = looked as [Looked, Looked];
    const changed = compareContents(a.contents, b.contents);
    const before = new Set(a.findings);
    const needs = b.findings.filter((finding) => !before.has(finding));
    const exit = changed.length + needs.length > 0 ? exitCode.criuFailed : exitCode.ok;
    if (values["json"] === true)
      return { exit, json: { a: names[0]!, b: names[1]!, changed, needs } satisfies DiffDocument };
    printChanged(changed, needs);
    return { exit };
  },
};

interface Looked {
  readonly contents: Contents;
  /** What stands in the way of its restore here, a line each. */
  readonly findings: readonly string[];
}

async function look(name: string): Promise<Looked | { exit: number; problem: string }> {
  using found = await findImages(name);
  if ("problem" in found) return found;
  const { dir } = found;
  const all = await lookAt(dir, found.archived);
  if (!all.ok) return { exit: exitCode.usage, problem: all.problem };
  const { checkpoint } = all.preflight;
  if (checkpoint.root === undefined) {
    const [fault] = checkpoint.faults;
    const why = fault === undefined ? "it has no task" : `${fault.file}: ${fault.problem}`;
    return { exit: exitCode.images, problem: `${name}: ${why}` };
  }
  return {
    contents: contentsOf(checkpoint, name, found.container),
    findings: all.preflight.findings
      .filter(({ severity }) => severity !== "info")
      .flatMap(({ severity, id, message, more }) => [
        `${severity}[${id}]: ${message.replaceAll(dir, () => name)}`,
        ...(more === undefined ? [] : [`${severity}[${id}]: ${more} more`]),
      ]),
  };
}
