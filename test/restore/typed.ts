/** The remedy of a finding, done as a person does it: its command is typed, to the letter, into a shell. */
import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "./report.ts";
import {
  alive,
  criu,
  processOf,
  recriuBinary,
  run,
  type Run,
  type RunOptions,
  type Stage,
  waitFor,
} from "./stage.ts";
import { argvUnder, type Under } from "./under.ts";

interface Which {
  /** Those that it was asked with. */
  options?: readonly string[];
  /** Of several findings of that id, which. */
  subject?: string;
  /** Around the shell that it is typed into. */
  under?: Under;
  /** What it changes is that shell's: recriu is called there next. */
  thenRestore?: true;
  /** What stands for what only the caller knows: DEVICE. */
  fill?: Readonly<Record<string, string>>;
}

/** A directory with `recriu` and `criu`, those under test. */
export function programs({ dir }: Stage): string {
  const bin = join(dir, "typed-bin");
  if (existsSync(bin)) return bin;
  mkdirSync(bin);
  for (const [name, program] of Object.entries({ recriu: recriuBinary, criu }))
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  return bin;
}

/**
 * Types the command that the report's finding `id` shows; of an option, behind `recriu restore -d -D IMAGES` and the
 * `options` of before. test/checks/remedies.test.ts reads the ids of these calls: they are written out. Returns when the
 * command has ended.
 */
export async function typed(
  stage: Stage,
  report: Report,
  id: string,
  { options = [], subject, under = [], thenRestore, fill = {}, ...how }: RunOptions & Which = {},
): Promise<Run> {
  const asked = ["-d", "-D", report.images, ...options].map(
    (word) => `'${word.replaceAll("'", "'\\''")}'`,
  );
  const { kind, command } = remedyOf(report, id, subject);
  const isOption = kind === "option" || command.startsWith("--");
  const restore = `recriu restore ${asked.join(" ")}`;
  const shown = isOption ? `${restore} ${command}` : command;
  const line = Object.entries(fill).reduce((text, [name, value]) => {
    if (!text.includes(name)) throw new Error(`there is no ${name} in ${text}`);
    return text.replace(name, value);
  }, shown);
  const env = { ...environment(stage), ...how.env };
  const words = ["sh", "-c", thenRestore ? `${line} && ${restore}` : line];
  const done = await run(stage, argvUnder(under, words), { ...how, env });
  const killed = /^kill (\d+)$/.exec(command)?.[1];
  if (killed !== undefined)
    await waitFor(`${killed} to have ended`, () => processOf(Number(killed)) === null);
  return done;
}

/**
 * Types a command that stays as long as the tree that it restores. Returns when the task (by its number on this machine) was there and runs a
 * second later still; both are then for the caller to end.
 */
export async function typedAndStays(
  stage: Stage,
  report: Report,
  id: string,
  task: number | (() => number | undefined),
): Promise<void> {
  const pidOf = () => (typeof task === "number" ? task : (task() ?? 0));
  const env = Object.entries(environment(stage)).map(([name, value]) => `${name}=${value}`);
  const argv = ["env", ...env, "sh", "-c", remedyOf(report, id).command];
  const stderr = join(stage.dir, `typed-${++stage.count}`);
  const child = await stage.supervisor.spawn(argv, { cwd: stage.dir, stdout: stderr, stderr });
  await waitFor(`${id}'s command to restore the tree`, () => {
    if (child.status !== null)
      throw new Error(
        `${id}'s command ended with ${child.status}: ${readFileSync(stderr, "utf8")}`,
      );
    // Of a tree that CRIU is still making every task is traced.
    return /^[RS]$/.test(processOf(pidOf())?.state ?? "");
  });
  await Bun.sleep(1000);
  expect([child.status, alive(pidOf())]).toEqual([null, true]);
}

function remedyOf({ findings }: Report, id: string, subject?: string) {
  const found = findings.find(
    (each) => each.id === id && (subject === undefined || each.subject === subject),
  );
  const { kind, command } = found?.remedy ?? {};
  if (kind === undefined || command === undefined || command === null)
    throw new Error(`there is no command of ${id} among ${JSON.stringify(findings)}`);
  return { kind, command };
}

const environment = (stage: Stage) => ({
  PATH: `${programs(stage)}:${process.env["PATH"]}`,
  RECRIU_CRIU: criu,
  NO_COLOR: "1",
});
