import { lackOf } from "../checks/index.ts";
import { thisHost } from "../host/index.ts";
import { openArchive } from "../image/archive.ts";
import { openCheckpoint } from "../image/index.ts";
import { contentsOf, printContents } from "../report/contents.ts";
import { refused, said, type Told } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  archive: {
    type: "positional",
    required: false,
    description: "an archive that Podman exported, instead of -D",
  },
  "images-dir": {
    type: "string",
    alias: "D",
    valueHint: "DIR",
    description: "the checkpoint (default: the working directory)",
  },
  json: { type: "boolean", description: "one JSON document on stdout" },
} as const;

export const command: Command = {
  meta: {
    name: "show",
    description:
      "Show what is in a checkpoint: tasks, threads, files, sockets, mounts, cgroups, memory.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("show", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const [file] = parsed.operands;
    const unpacked = file === undefined ? undefined : await openArchive(file);
    if (unpacked?.ok === false) {
      const exit = unpacked.damaged ? exitCode.images : exitCode.usage;
      return refused("show", exit, `${file}: ${unpacked.problem}`);
    }
    const named = String(parsed.values["images-dir"] ?? ".");
    const told = show(unpacked?.archive.dir ?? named, file ?? named, parsed.values.json === true);
    unpacked?.archive.dispose();
    return told;
  },
};

function show(dir: string, name: string, json: boolean): Told {
  const opened = openCheckpoint(dir);
  if (!opened.ok) {
    const { file, problem } = opened.fault;
    return refused("show", exitCode.usage, `${file}: ${problem}`);
  }
  const { checkpoint } = opened;
  const lack = lackOf(checkpoint, thisHost());
  if (lack?.id === "no-checkpoint")
    return refused("show", exitCode.usage, `${name} ${lack.message}; ${lack.text}`);
  const faults = checkpoint.readEverything();
  const contents = contentsOf(checkpoint, name);
  if (!json) printContents(contents);
  return {
    exit: faults.some(({ kind }) => kind !== "absent") ? exitCode.images : exitCode.ok,
    ...(json && { json: contents }),
    lines: faults.map(({ file, problem }) => said`recriu show: ${file}: ${problem}`),
  };
}
