import { defineCommand } from "citty";
import { requestFrom } from "../criu/index.ts";
import { openCheckpoint } from "../image/index.ts";
import { printJson } from "../report/json.ts";
import { printVerdict } from "../report/text.ts";
import { harmless, line } from "../report/terminal.ts";
import { exitCode } from "../report/outcome.ts";
import { findRoot, verify } from "../verify/index.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  "images-dir": {
    type: "string",
    alias: "D",
    valueHint: "DIR",
    description: "the checkpoint (default: the working directory)",
  },
  pid: {
    type: "string",
    valueHint: "PID",
    description: "the root task's pid on this machine (default: its pid in the images)",
  },
  "shell-job": { type: "boolean", alias: "j", description: "it was restored with --shell-job" },
  json: { type: "boolean", description: "one JSON document on stdout" },
} as const;

export const command = defineCommand({
  meta: {
    name: "verify",
    description: "Compare a live tree with the images it was restored from.",
  },
  args,
  run({ rawArgs }): number {
    const parsed = parseStrictly("verify", args, rawArgs);
    if (parsed === undefined) return exitCode.usage;
    const { values } = parsed;
    const opened = openCheckpoint(String(values["images-dir"] ?? "."));
    if (!opened.ok) {
      line(`recriu verify: ${harmless(opened.fault.file)}: ${harmless(opened.fault.problem)}`);
      return exitCode.usage;
    }
    const { checkpoint } = opened;
    if (checkpoint.root === undefined) {
      for (const fault of checkpoint.faults)
        line(`recriu verify: ${harmless(fault.file)}: ${harmless(fault.problem)}`);
      return exitCode.images;
    }
    if (values.pid !== undefined && !/^[1-9]\d*$/.test(String(values.pid))) {
      line(`recriu verify: --pid takes a process id, not ${harmless(String(values.pid))}`);
      return exitCode.usage;
    }
    const pid = values.pid === undefined ? findRoot(checkpoint) : Number(values.pid);
    if (pid === undefined) {
      line(
        `recriu verify: no live process is task ${checkpoint.root.pid} of these images; --pid names it where it has another number`,
      );
      return exitCode.verification;
    }
    const understood = requestFrom(values["shell-job"] ? ["--shell-job"] : [], {});
    if (!understood.ok) throw new Error(understood.problem);
    const { verdict } = verify(checkpoint, understood.request, pid, "state");
    if (values.json) printJson({ images: checkpoint.dir, pid, verdict });
    else printVerdict(verdict);
    return verdict.result === "match" ? exitCode.ok : exitCode.verification;
  },
});
