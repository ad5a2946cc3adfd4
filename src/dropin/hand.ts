/** The step into the real CRIU: the process that was started becomes it. */
import { ESRCH, errorText } from "../sys/errno.ts";
import { become, type Exec } from "./exec.ts";

/** The real CRIU, and what it will find. */
export interface Criu {
  path: string;
  exec: Exec;
  /** What was not used, as others can change it: said to whoever sees what CRIU says. */
  notes: readonly string[];
}

/** Become the real CRIU, or refuse: the exit code. */
export async function hand(criu: Criu): Promise<number> {
  const problem = give(criu);
  return problem === undefined ? 0 : refuse(problem);
}

/** The process that was started becomes the real CRIU. Returns where that is the front, or why it cannot. */
export function give(
  { path, exec }: Criu,
  options: readonly string[] = [],
  last: readonly string[] = [],
  variables: readonly string[] = [],
): string | undefined {
  const failed = become(path, withLast(exec, last), options, variables);
  if (failed === -ESRCH) return "what was to become CRIU has ended before";
  return failed === 0 ? undefined : `${path}: ${errorText(failed)}`;
}

/** `last` behind the other options, so that of two it counts: before `--`, if that ends them. */
function withLast(exec: Exec, last: readonly string[]): Exec {
  const end = exec.argv.findIndex((word) => word.equals(Buffer.from("--\0")));
  const words = last.map((word) => Buffer.from(`${word}\0`));
  return { ...exec, argv: exec.argv.toSpliced(end < 0 ? exec.argv.length : end, 0, ...words) };
}

/** Become CRIU where recriu has nothing to give. */
export async function stepAside(criu: Criu, why: string): Promise<number> {
  await sayAside(why);
  return hand(criu);
}

/** Say it to whoever wants to know. */
export async function sayAside(why: string): Promise<void> {
  if (process.env.RECRIU_DEBUG === "1") await say(`recriu steps aside: ${why}`);
}

/** Say why there is no CRIU to become. Exit code 1, as CRIU's own. */
export async function refuse(problem: string): Promise<number> {
  await say(`recriu: ${problem}`);
  return 1;
}

/** A line on stderr. What prints is loaded only where something is printed. */
export async function say(text: string): Promise<void> {
  const { harmless, line } = await import("../report/terminal.ts");
  line(harmless(text));
}
