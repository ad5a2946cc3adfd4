/** The remedy of a finding, done as a person does it: its command is typed, to the letter, into a shell. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finding, type Report } from "./report.ts";
import { criu, recriuBinary, run, type Run, type RunOptions, type Stage } from "./stage.ts";

/** A directory with `recriu` and `criu`, those under test. */
function programs({ dir }: Stage): string {
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
export function typed(
  stage: Stage,
  report: Report,
  id: string,
  { options = [], ...how }: RunOptions & { options?: readonly string[] } = {},
): Promise<Run> {
  const { kind, command } = finding(report, id).remedy;
  if (command === null) throw new Error(`the finding ${id} has no command`);
  const asked = ["-d", "-D", report.images, ...options].map(
    (word) => `'${word.replaceAll("'", "'\\''")}'`,
  );
  const line =
    kind === "option" || command.startsWith("--")
      ? `recriu restore ${asked.join(" ")} ${command}`
      : command;
  const PATH = `${programs(stage)}:${process.env["PATH"]}`;
  const env = { PATH, RECRIU_CRIU: criu, NO_COLOR: "1", ...how.env };
  return run(stage, ["sh", "-c", line], { ...how, env });
}
