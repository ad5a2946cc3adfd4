import { readdirSync } from "node:fs";
import { isArchive } from "../image/archive.ts";
import { type Checkpoint, leftOutIn, openCheckpoint } from "../image/index.ts";
import type { CheckpointsDocument, ShowDocument } from "../report/documents.ts";
import { printCheckpoints, printContents } from "../report/show.ts";
import { refused, said, type Told } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import { type Contents, contentsOf } from "../show/contents.ts";
import { shownMappings } from "../show/mappings.ts";
import { environmentOf } from "../show/tasks.ts";
import { tidying } from "../sys/garbage.ts";
import { statAt } from "../sys/look.ts";
import { join } from "../sys/path.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";
import { findImages } from "./found.ts";

const args = {
  checkpoint: {
    type: "positional",
    required: false,
    description: "a checkpoint, a directory of some, or an archive that Podman exported",
  },
  "images-dir": {
    type: "string",
    alias: "D",
    valueHint: "DIR",
    description: "the checkpoint, named as CRIU does it (default: the working directory)",
  },
  files: { type: "boolean", description: "show each task's program, threads and descriptors" },
  sockets: { type: "boolean", description: "show sockets, with the tasks at both ends" },
  mounts: {
    type: "boolean",
    description: "show the mounts, where the tree had a mount namespace of its own",
  },
  memory: {
    type: "boolean",
    description: "show each task's mappings, and how much of each is saved",
  },
  env: { type: "boolean", description: "show each task's environment, in which secrets may be" },
  all: { type: "boolean", description: "show all of these but --env" },
  pid: { type: "string", valueHint: "N", description: "show this task alone" },
  format: {
    type: "string",
    valueHint: "tree|table|json",
    description: "the form of the output (default tree)",
  },
  html: {
    type: "string",
    valueHint: "FILE",
    description: "write all of it but --env as one page for a browser; - is stdout",
  },
  json: { type: "boolean", description: "print one JSON document on stdout, as --format=json" },
} as const;

type Values = Readonly<Record<string, string | boolean | undefined>>;

export const command: Command = {
  meta: {
    name: "show",
    description:
      "Show what is in a checkpoint: the process tree, and what it had open, mapped and mounted.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("show", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const { values, operands } = parsed;
    const format = String(values["format"] ?? (values["json"] === true ? "json" : "tree"));
    if (!/^(tree|table|json)$/.test(format))
      return refused("show", exitCode.usage, `--format takes tree, table or json, not ${format}`);
    if (values["pid"] !== undefined && !/^[1-9]\d{0,9}$/.test(String(values["pid"])))
      return refused(
        "show",
        exitCode.usage,
        `--pid takes the number of a task, not ${values["pid"]}`,
      );
    if (operands.length > 1)
      return refused(
        "show",
        exitCode.usage,
        `it takes one checkpoint, and ${operands.length} were named`,
      );
    if (values["html"] !== undefined && (values["json"] ?? values["format"]) !== undefined)
      return refused(
        "show",
        exitCode.usage,
        "--html is a format of its own: leave --format and --json out",
      );
    const named = operands[0] ?? String(values["images-dir"] ?? ".");
    const several = isArchive(named) ? [] : checkpointsIn(named);
    if (several.length > 0 && values["html"] !== undefined)
      return refused(
        "show",
        exitCode.usage,
        `${named} has several checkpoints, and --html shows one: name it`,
      );
    if (several.length > 0) return showAll(named, several, format);
    using found = await findImages(named);
    return "problem" in found
      ? refused("show", found.exit, found.problem)
      : await show(found, named, values, format); // which is there until then
  },
};

/** Checkpoints and archives in a directory that is none itself. */
function checkpointsIn(dir: string): string[] {
  const stat = statAt(join(dir, "inventory.img"), false);
  if (typeof stat !== "number") return [];
  try {
    return readdirSync(dir)
      .sort()
      .filter((name) => {
        const path = join(dir, name);
        return typeof statAt(join(path, "inventory.img"), false) !== "number" || isArchive(path);
      });
  } catch {
    return [];
  }
}

async function showAll(dir: string, names: readonly string[], format: string): Promise<Told> {
  const all: [string, Contents | string][] = [];
  for (const name of names) all.push([name, await summaryOf(join(dir, name), name)]);
  if (format === "json")
    return {
      exit: exitCode.ok,
      json: {
        checkpoints: all.map(([name, of]) =>
          typeof of === "string" ? { name, problem: of } : { name, ...of },
        ),
      } satisfies CheckpointsDocument,
    };
  printCheckpoints(all);
  return { exit: exitCode.ok };
}

async function summaryOf(path: string, name: string): Promise<Contents | string> {
  using found = await findImages(path);
  if ("problem" in found) return found.problem;
  const opened = openCheckpoint(found.dir, leftOutIn(found.dir));
  return opened.ok ? contentsOf(opened.checkpoint, name, found.container) : opened.fault.problem;
}

async function show(
  { dir, archived, container }: Extract<Awaited<ReturnType<typeof findImages>>, { dir: string }>,
  name: string,
  values: Values,
  format: string,
): Promise<Told> {
  const leftOut = leftOutIn(dir);
  const opened = openCheckpoint(dir, leftOut);
  if (!opened.ok) {
    const { file, problem } = opened.fault;
    return refused("show", exitCode.usage, `${file}: ${problem}`);
  }
  const { checkpoint } = opened;
  const lack = await lackOf(checkpoint);
  if (lack?.id === "no-checkpoint")
    return refused("show", exitCode.usage, `${name} ${lack.message}; ${lack.text}`);
  const tidy = tidying();
  const faults = checkpoint.readEverything();
  tidy();
  const whole = contentsOf(checkpoint, name, container);
  tidy();
  const pid = values["pid"] === undefined ? undefined : Number(values["pid"]);
  const tasks = whole.tasks.filter((task) => pid === undefined || task.pid === pid);
  if (pid !== undefined && tasks.length === 0)
    return refused(
      "show",
      exitCode.usage,
      `${name} has no task ${pid}; without --pid all that it has are shown`,
    );
  const sockets = whole.sockets.filter((one) => pid === undefined || one.tasks.includes(pid));
  const contents = { ...whole, tasks, sockets };
  const page = values["html"];
  const asked = page === undefined ? values : { ...values, all: true };
  const more = moreOf(checkpoint, contents, asked, pid !== undefined);
  const exit = faults.some(({ kind }) => kind !== "absent") ? exitCode.images : exitCode.ok;
  const lines = [
    ...faults.map(({ file, problem }) => said`recriu show: ${file}: ${problem}`),
    ...(leftOut.size > 0 ? [said`the memory was left out of this pack: sizes are as it was`] : []),
  ];
  if (page !== undefined) {
    const { writePage } = await import("./show-page.ts");
    const written = await writePage(String(page), { contents, ...more }, checkpoint, archived);
    return { ...written, exit: written.exit || exit, lines: [...lines, ...(written.lines ?? [])] };
  }
  if (format !== "json")
    printContents(contents, format as "tree" | "table", { ...more, all: whole.tasks.length });
  return { exit, ...(format === "json" && { json: asJson(contents, more) }), lines };
}

/** Why there is nothing to show. What tells it is loaded only where there may be a reason. */
async function lackOf(checkpoint: Checkpoint) {
  if (["inventory.img", "pstree.img"].every((file) => checkpoint.files.has(file))) return undefined;
  const [{ lackOf: lackIn }, { thisHost }] = await Promise.all([
    import("../checks/images/no-checkpoint.ts"),
    import("../host/index.ts"),
  ]);
  return lackIn(checkpoint, thisHost());
}

/** What was asked for; of one task its files, too. */
function moreOf(checkpoint: Checkpoint, { tasks }: Contents, values: Values, alone: boolean) {
  const asked = (name: string) =>
    values[name] === true || (name !== "env" && values["all"] === true);
  const shown = checkpoint.tasks.filter(({ pid }) => tasks.some((task) => task.pid === pid));
  return {
    files: asked("files") || alone,
    sockets: asked("sockets"),
    mounts: asked("mounts"),
    mappings: new Map(
      asked("memory") ? shown.map((task) => [task.pid, shownMappings(checkpoint, task)]) : [],
    ),
    environments: new Map(
      asked("env") ? shown.map((task) => [task.pid, environmentOf(checkpoint, task)]) : [],
    ),
  };
}

const asJson = (
  contents: Contents,
  { mappings, environments }: ReturnType<typeof moreOf>,
): ShowDocument => ({
  ...contents,
  tasks: contents.tasks.map((task) => ({
    ...task,
    ...(mappings.has(task.pid) && { mappings: mappings.get(task.pid)! }),
    ...(environments.has(task.pid) && { environment: environments.get(task.pid) ?? null }),
  })),
});
