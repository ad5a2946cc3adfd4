import { diagnose, factOf } from "../checks/doctor.ts";
import { findCriu, otherCrius } from "../criu/index.ts";
import { thisHost } from "../host/index.ts";
import { runtimeFacts } from "../runtime/doctor.ts";
import type { DoctorDocument } from "../report/documents.ts";
import { factLines } from "../report/facts.ts";
import { exitCode } from "../report/outcome.ts";
import type { Told } from "../report/told.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";

const args = {
  criu: { type: "string", valueHint: "PATH", description: "look at this CRIU" },
  json: { type: "boolean", description: "print one JSON document on stdout" },
} as const;

export const command: Command = {
  meta: {
    name: "doctor",
    description: "Show what this machine offers a restore, and what each lack means for one.",
  },
  args,
  async run({ rawArgs }): Promise<Told> {
    const parsed = parseStrictly("doctor", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const variable = process.env.RECRIU_CRIU || undefined;
    const named = parsed.values.criu === undefined ? variable : String(parsed.values.criu);
    const found = findCriu(named, process.env);
    const others = named === undefined && found.ok ? otherCrius(found.path, process.env) : [];
    const facts = (
      await Promise.all([diagnose(found, others, thisHost()), runtimeFacts(process.env)])
    )
      .flat()
      .map(factOf);
    const exit = facts.some(({ state }) => state === "missing") ? exitCode.blocked : exitCode.ok;
    return parsed.values.json
      ? { exit, json: { facts } satisfies DoctorDocument }
      : { exit, lines: factLines(facts) };
  },
};
