/** Which CRIU it is and what it can do here. A check takes some 30 ms; each answer is remembered. */
import { criuEnvironment } from "./environment.ts";
import { errorLines } from "./log.ts";
import { firstCause } from "./worth.ts";

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** CRIU cannot be started; or it was given up waiting, which says nothing of what it would have answered. */
type NoAnswer = "unstartable" | "late";

const answers = new Map<string, Answer | NoAnswer>();

/** Run CRIU with a few words. */
function ask(path: string, ...words: string[]): Answer | NoAnswer {
  const key = [path, ...words].join("\0");
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = askNow([path, ...words]);
  answers.set(key, answer);
  return answer;
}

function askNow(words: string[]): Answer | NoAnswer {
  // A configuration file could make every start fail or log elsewhere; the question is what CRIU itself is.
  const { CRIU_CONFIG_FILE: _, ...env } = criuEnvironment(process.env);
  try {
    const asked = Bun.spawnSync([...words, "--no-default-config"], {
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: PATIENCE,
      killSignal: "SIGKILL",
      maxBuffer: 1 << 20,
    });
    if (asked.exitedDueToTimeout === true || asked.exitedDueToMaxBuffer === true) return "late";
    const { exitCode, stdout, stderr } = asked;
    return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  } catch {
    return "unstartable";
  }
}

/** "4.1.1" of what `criu --version` says: `Version: 4.1.1`. */
export const parseVersion = (text: string): string | undefined =>
  /^Version: (\S+)/m.exec(text)?.[1];

/** What a CRIU says of itself: its version; or why it cannot be started. Neither where it does not end, or says something else. */
interface Identity {
  readonly version: string | undefined;
  readonly problem: string | undefined;
}

/** Ask CRIU for its version. It takes some 5 ms, in which the caller can read images. */
export async function identify(path: string): Promise<Identity> {
  const words = [path, "--version", "--no-default-config"];
  const { CRIU_CONFIG_FILE: _, ...env } = criuEnvironment(process.env);
  const fails = (problem: string): Identity => ({ version: undefined, problem });
  try {
    const child = Bun.spawn(words, {
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, PATIENCE);
    const answer = Promise.all([
      Bun.readableStreamToText(child.stdout),
      Bun.readableStreamToText(child.stderr),
      child.exited,
    ]);
    const [said, wrong, code] = (await Promise.race([answer, late])) ?? ["", "", 0];
    clearTimeout(timer);
    if (said === "" && code === 0) child.kill("SIGKILL");
    if (code === 0) return { version: parseVersion(said), problem: undefined };
    const line = wrong.trim().split("\n").at(-1)!.slice(0, 500);
    const ending =
      child.signalCode === null ? `it exits with ${code}` : `it is ended by ${child.signalCode}`;
    return fails(line === "" ? ending : `${ending}: ${line}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return fails("the interpreter or loader that it names is not there");
    if (code === "ENOEXEC") return fails("it is no program for this machine");
    return fails((error as Error).message);
  }
}

/** Milliseconds. */
const PATIENCE = 10_000;

/** Below 0 when `a` is older than `b`: number by number, a missing one is 0; "4.0-rc1" counts as 4.0. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string) =>
    version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The last release whose options and images are known here: read, and seen to restore. */
export const NEWEST_KNOWN = "4.3";

/** img_version of the last images that are known here: those of CRIU 4.3 with compressed memory. */
export const NEWEST_IMAGES = 3;

/** Whether a CRIU is of a later release; a later sublevel of the last one is not. */
export const isBeyondKnown = (version: string): boolean =>
  compareVersions(version.split(".").slice(0, 2).join("."), NEWEST_KNOWN) > 0;

/** What a CRIU says against what it was asked: nothing, a line of its own, or no answer in ten seconds, which is none either way. */
export type Refusal =
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly line: string }
  | { readonly kind: "unanswered" };

/** What this CRIU says of the processor in a directory of images, which it asks itself and not the kernel. */
export const cpuRefusal = (path: string, images: string): Refusal =>
  refusalOf(ask(path, "cpuinfo", "check", "--cpu-cap=ins", "-D", images));

/**
 * The error that ends every start of this CRIU on this machine. The feature asked for is
 * one that every kernel since 3.15 has, so that only the start itself can fail.
 */
export const startRefusal = (path: string): Refusal => featureRefusal(path, "mnt_id");

/** What this CRIU says of its options; "" when it says nothing. */
export function helpOf(path: string): string {
  const answer = ask(path, "--help");
  return typeof answer === "string" ? "" : answer.stdout;
}

/** Why this CRIU lacks a feature of `criu check --feature`. */
export const featureRefusal = (path: string, feature: string): Refusal =>
  refusalOf(ask(path, "check", "--feature", feature));

function refusalOf(answer: Answer | NoAnswer): Refusal {
  if (answer === "late") return { kind: "unanswered" };
  if (answer === "unstartable") return { kind: "refused", line: "it cannot be started" };
  if (answer.code === 0) return { kind: "none" };
  const printed = `${answer.stderr}\n${answer.stdout}`;
  const line = firstCause(errorLines(printed)) ?? printed.trim().split("\n")[0]!;
  return { kind: "refused", line };
}
