/**
 * recriu under the name of criu: whatever CRIU is asked for, the real one does in this very process. A restore is made
 * safe before.
 */
import { findCriu } from "../criu/find.ts";
import { readOwnConfig, resolveOwn } from "../criu/own.ts";
import { errorText } from "../sys/errno.ts";
import { become, type Given, whatWasGiven } from "./given.ts";

/** The real CRIU, and what it will find. */
export interface Criu {
  path: string;
  given: Given;
}

/** Do what `criu WORDS…` does. Returns, with the exit code, only where recriu refuses. */
export async function dropin(words: readonly string[]): Promise<number> {
  const given = whatWasGiven();
  const { text, problem } = readOwnConfig();
  const settled =
    problem === undefined ? resolveOwn([], process.env, text) : { ok: false as const, problem };
  if (!settled.ok) return refuse(settled.problem);
  const found = findCriu(settled.own.criu, process.env);
  if (!found.ok) return refuse(`the real CRIU is not found: ${found.problem}`);
  const criu = { path: found.path, given };
  // Whose word it is, is for getopt to say; without it there is nothing to say.
  if (!words.some((word) => word === "restore" || word === "swrk")) return hand(criu);
  const { commandOf } = await import("../criu/getopt.ts");
  const posixlyCorrect = process.env.POSIXLY_CORRECT !== undefined;
  const asked = commandOf(words, { posixlyCorrect });
  if (asked?.command === "restore")
    return (await import("./restore.ts")).guardRestore(criu, asked.words);
  if (asked?.command === "swrk") return (await import("./swrk.ts")).guardSwrk(criu, asked.words);
  return hand(criu);
}

/** Become the real CRIU. */
export async function hand(
  { path, given }: Criu,
  options: readonly string[] = [],
  last: readonly string[] = [],
): Promise<number> {
  return refuse(`${path}: ${errorText(become(path, withLast(given, last), options))}`);
}

/** `last` behind the other options, so that of two it counts: before `--`, if that ends them. */
function withLast(given: Given, last: readonly string[]): Given {
  const end = given.argv.findIndex((word) => word.equals(Buffer.from("--\0")));
  const words = last.map((word) => Buffer.from(`${word}\0`));
  return { ...given, argv: given.argv.toSpliced(end < 0 ? given.argv.length : end, 0, ...words) };
}

/** Become CRIU where recriu has nothing to give. */
export async function stepAside(criu: Criu, why: string): Promise<number> {
  if (process.env.RECRIU_DEBUG === "1") await say(`recriu steps aside: ${why}`);
  return hand(criu);
}

async function refuse(problem: string): Promise<number> {
  await say(`recriu: ${problem}`);
  return 1;
}

/** What prints is loaded only where something is printed. */
async function say(text: string): Promise<void> {
  const { harmless, line } = await import("../report/terminal.ts");
  line(harmless(text));
}
