import { diagnose } from "../checks/doctor.ts";
import { findCriu } from "../criu/index.ts";
import { thisHost } from "../host/index.ts";
import { printJson } from "../report/json.ts";
import { runtimeFacts } from "../runtime/doctor.ts";
import { bold, green, harmless, line, red, yellow } from "../report/terminal.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  criu: { type: "string", valueHint: "PATH", description: "the CRIU to look at" },
  json: { type: "boolean", description: "one JSON document on stdout" },
} as const;

const mark = { ok: green("ok  "), warning: yellow("warn"), missing: red("lack") };

export const command: Command = {
  meta: {
    name: "doctor",
    description: "Show what this machine offers a restore, and what each lack means for one.",
  },
  args,
  async run({ rawArgs }): Promise<number> {
    const parsed = parseStrictly("doctor", args, rawArgs);
    if (parsed === undefined) return 2;
    const variable = process.env.RECRIU_CRIU || undefined;
    const named = parsed.values.criu === undefined ? variable : String(parsed.values.criu);
    const facts = (
      await Promise.all([
        diagnose(findCriu(named, process.env), thisHost()),
        runtimeFacts(process.env),
      ])
    ).flat();
    const lacking = facts.some((fact) => fact.state === "missing");
    if (parsed.values.json) printJson({ facts });
    else {
      for (const { name, state, found, means } of facts) {
        line(`${mark[state]} ${bold(name.padEnd(18))} ${harmless(found)}`);
        if (state !== "ok") line(`${" ".repeat(24)}${harmless(means)}`);
      }
    }
    return lacking ? 3 : 0;
  },
};
