import type { LastDocument } from "../report/documents.ts";
import { exitCode } from "../report/outcome.ts";
import { keptReasons } from "../report/reasons.ts";
import { joined, refused, said, type Told } from "../report/told.ts";
import { parseStrictly } from "./arguments.ts";
import type { Command } from "./command.ts";

const args = {
  all: {
    type: "boolean",
    description: "show every refusal and failure that is kept, oldest first",
  },
  json: { type: "boolean", description: "print one JSON document on stdout" },
} as const;

export const command: Command = {
  meta: {
    name: "last",
    description:
      "Show why the last restore was refused or failed, also one that a runtime asked for: Docker and containerd delete CRIU's log with the task. For root.",
  },
  args,
  run({ rawArgs }): Told {
    const parsed = parseStrictly("last", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const kept = keptReasons();
    if (!kept.ok)
      return refused(
        "last",
        exitCode.criuFailed,
        `the reasons that were kept cannot be read: ${kept.problem}`,
      );
    const reasons = parsed.values.all ? kept.reasons : kept.reasons.slice(-1);
    if (parsed.values.json) return { exit: exitCode.ok, json: { reasons } satisfies LastDocument };
    if (reasons.length === 0)
      return {
        exit: exitCode.ok,
        lines: [said`of no restore that was refused or failed a reason is kept`],
      };
    const lines = reasons.flatMap(({ time, by, images, log, cause, text }) => [
      said`${time} ${by}: ${cause}`,
      joined(said`  images  ${images}`),
      ...(log === null ? [] : [said`  log     ${log}`]),
      ...text
        .trimEnd()
        .split("\n")
        .map((each) => said`  | ${each}`),
    ]);
    return { exit: exitCode.ok, lines };
  },
};
