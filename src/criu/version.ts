/** Which CRIU it is and what it can do here. A check takes some 30 ms; each answer is remembered. */
import { criuEnvironment } from "./environment.ts";
import { errorLines, firstCause } from "./log.ts";

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const answers = new Map<string, Answer | undefined>();

/** Run CRIU with a few words; undefined when it cannot be started or does not end within ten seconds. */
function ask(path: string, ...words: string[]): Answer | undefined {
  const key = [path, ...words].join("\0");
  if (!answers.has(key)) answers.set(key, askNow([path, ...words]));
  return answers.get(key);
}

function askNow(words: string[]): Answer | undefined {
  // A configuration file could make every start fail or log elsewhere; the question is what CRIU itself is.
  const { CRIU_CONFIG_FILE: _, ...env } = criuEnvironment(process.env);
  try {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...words, "--no-default-config"], {
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 10_000,
      maxBuffer: 1 << 20,
    });
    return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  } catch {
    return undefined;
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

/** What this CRIU says of the processor in a directory of images, which it asks itself and not the kernel; undefined: nothing against it. */
export const cpuRefusal = (path: string, images: string): string | undefined =>
  refusalOf(ask(path, "cpuinfo", "check", "--cpu-cap=ins", "-D", images));

/**
 * The error that ends every start of this CRIU on this machine; undefined when it can start. The feature asked for is
 * one that every kernel since 3.15 has, so that only the start itself can fail.
 */
export const startRefusal = (path: string): string | undefined => featureRefusal(path, "mnt_id");

/** What this CRIU says of its options; "" when it says nothing. */
export const helpOf = (path: string): string => ask(path, "--help")?.stdout ?? "";

/** Why this CRIU lacks a feature of `criu check --feature`; undefined when it has it. */
export const featureRefusal = (path: string, feature: string): string | undefined =>
  refusalOf(ask(path, "check", "--feature", feature));

function refusalOf(answer: ReturnType<typeof ask>): string | undefined {
  if (answer === undefined) return "it cannot be started";
  if (answer.code === 0) return undefined;
  const printed = `${answer.stderr}\n${answer.stdout}`;
  return firstCause(errorLines(printed)) ?? printed.trim().split("\n")[0];
}
