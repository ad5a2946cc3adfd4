/** recriu and bare CRIU under another command that changes what they inherit: capsh, prlimit, unshare, script … */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "./report.ts";
import { criu, recriuBinary, run, type Run, type RunOptions, type Stage } from "./stage.ts";

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** The command as a list of words that takes more words, or as a function that takes one shell command. */
export type Under = readonly string[] | ((command: string) => string[]);

export const argvUnder = (under: Under, words: string[]): string[] =>
  typeof under === "function" ? under(words.map(quote).join(" ")) : [...under, ...words];

/** `criu restore -d` under a command, and its log. */
export async function bareUnder(
  stage: Stage,
  under: Under,
  images: string,
  options: string[] = ["-d"],
  runOptions: RunOptions = {},
): Promise<Run & { log: string }> {
  const work = join(stage.dir, `under-${++stage.count}`);
  mkdirSync(work);
  const words = [criu, "restore", "-D", images, "-W", work, "-v4", "-o", "restore.log", ...options];
  const done = await run(stage, argvUnder(under, words), runOptions);
  const log = join(work, "restore.log");
  return { ...done, log: existsSync(log) ? readFileSync(log, "utf8") : "" };
}

/** recriu's report under a command. */
export async function reportUnder(
  stage: Stage,
  under: Under,
  command: "preflight" | "restore",
  images: string,
  options: string[] = command === "restore" ? ["-d"] : [],
): Promise<Report & { exit: number | null; stderr: string }> {
  const words = [recriuBinary, command, "-D", images, "--json", ...options];
  const env = { RECRIU_CRIU: criu, NO_COLOR: "1" };
  const done = await run(stage, argvUnder(under, words), { env });
  const start = done.stdout.indexOf("{");
  if (start < 0)
    throw new Error(`recriu ${command} printed no report, exit ${done.exit}: ${done.stderr}`);
  const report = JSON.parse(done.stdout.slice(start)) as Report;
  return { ...report, exit: done.exit, stderr: done.stderr };
}
