import { lackOf } from "../checks/index.ts";
import { thisHost } from "../host/index.ts";
import { openArchive } from "../image/archive.ts";
import { openCheckpoint } from "../image/index.ts";
import { printJson } from "../report/json.ts";
import { contentsOf, printContents } from "../report/contents.ts";
import { harmless, line } from "../report/terminal.ts";
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
  async run({ rawArgs }): Promise<number> {
    const parsed = parseStrictly("show", args, rawArgs);
    if (parsed === undefined) return exitCode.usage;
    const [file] = parsed.operands;
    const unpacked = file === undefined ? undefined : await openArchive(file);
    if (unpacked?.ok === false) {
      line(`recriu show: ${harmless(file!)}: ${harmless(unpacked.problem)}`);
      return unpacked.damaged ? exitCode.images : exitCode.usage;
    }
    const given = String(parsed.values["images-dir"] ?? ".");
    const code = show(unpacked?.archive.dir ?? given, file ?? given, parsed.values.json === true);
    unpacked?.archive.dispose();
    return code;
  },
};

function show(dir: string, name: string, json: boolean): number {
  const opened = openCheckpoint(dir);
  if (!opened.ok) {
    line(`recriu show: ${harmless(opened.fault.file)}: ${harmless(opened.fault.problem)}`);
    return exitCode.usage;
  }
  const { checkpoint } = opened;
  const lack = lackOf(checkpoint, thisHost());
  if (lack?.id === "no-checkpoint") {
    line(`recriu show: ${harmless(`${name} ${lack.message}; ${lack.text}`)}`);
    return exitCode.usage;
  }
  const faults = checkpoint.readEverything();
  const contents = contentsOf(checkpoint, name);
  if (json) printJson(contents);
  else printContents(contents);
  for (const fault of faults)
    line(`recriu show: ${harmless(fault.file)}: ${harmless(fault.problem)}`);
  return faults.some(({ kind }) => kind !== "absent") ? exitCode.images : exitCode.ok;
}
