/** Start `criu restore` as a child that finds the world as recriu found it. */
import { closeSync, fstatSync, ftruncateSync, writeSync } from "node:fs";
import { pipe } from "../sys/files.ts";
import { openOwnFile } from "../sys/own-file.ts";
import { criuEnvironment } from "./environment.ts";
import { parseWords } from "./getopt.ts";
import { linesOf, lineSplitter } from "../host/lines.ts";
import { lastLineOf, logFiles, parseLogLine } from "./log.ts";
import type { Request } from "./request.ts";

export interface Start {
  readonly path: string;
  readonly request: Request;
  /** Options that recriu adds. They stand before the user's words, so that of two the user's counts. */
  readonly options?: readonly string[];
  /** The images that CRIU reads instead of those that the user named. It works where it would have. */
  readonly images?: { readonly dir: string; readonly workDir: string };
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Variables that recriu adds to it, `NAME=VALUE`. */
  readonly variables?: readonly string[];
  /** Descriptors to hand over besides those that the request names: number in CRIU → number here. */
  readonly fds?: ReadonlyMap<number, number>;
  /** CRIU's stdout: ours (default), or our stderr when stdout is for a document. */
  readonly stdout?: "inherit" | "stderr";
  /** What CRIU prints is passed on no more as soon as this holds. */
  readonly isMuted?: () => boolean;
  /** Around the spawn itself, to give back what the runtime changed in us: the soft RLIMIT_NOFILE. */
  readonly beforeSpawn?: () => void;
  readonly afterSpawn?: () => void;
  /** Another program, which starts CRIU in its turn. */
  readonly through?: Through | undefined;
  /** Nothing of what CRIU says is to be heard before `listen`. Its log reaches its file through us. */
  readonly quiet?: boolean;
}

/** A program that starts CRIU, whose path and words are the last of its own. It ends at once, and what it has started stays. */
export interface Through {
  readonly command: readonly string[];
  /** Descriptors that it needs: number there → number here. */
  readonly fds: ReadonlyMap<number, number>;
  /** Called once it was started. Throws when CRIU was not; `problem`: why CRIU has ended, where that is not CRIU's own affair. */
  started(): Pick<RunningCriu, "pid" | "exited" | "kill" | "problem">;
}

export interface Exit {
  /** The exit code; 128+n after signal n. */
  readonly code: number;
  readonly signal: NodeJS.Signals | number | null;
}

export interface RunningCriu {
  readonly pid: number;
  /** Why it has ended, where it is not CRIU itself that can tell. */
  problem(): string | undefined;
  /** Its end; what it printed has been passed on by then. */
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals | number): void;
  /** Of a quiet CRIU: pass on what it has said and will say. Throws when its log's file cannot be opened. */
  listen(): void;
  /** The last line of its log so far, wherever that goes; undefined where there is none. */
  lastWords(): string | undefined;
  /** Once it has exited: the error lines of this run's log, wherever it went. */
  log(): Promise<readonly string[]>;
}

/** The words after the program's name for a request, with `options` in front of the user's and `last` behind them. */
export function criuWords(
  request: Request,
  options: readonly string[],
  posixlyCorrect: boolean,
  last: readonly string[] = [],
): string[] {
  if (!posixlyCorrect && last.length === 0) return ["restore", ...options, ...request.argv];
  // There an operand ends the options, and the command is one.
  const parsed = parseWords(request.argv, { posixlyCorrect });
  if (!parsed.ok) return ["restore", ...options, ...request.argv, ...last];
  return [...options, ...parsed.optionWords, ...last, "--", "restore", ...parsed.operands];
}

/**
 * Start CRIU. Its stdin is ours. What it logs to stderr (or stdout) passes through us, unless the request hands these
 * very descriptors to the restored tasks or to another command. Throws when the file cannot be executed.
 */
export function startCriu(start: Start): RunningCriu {
  const {
    path,
    request,
    options = [],
    images,
    stdout = "inherit",
    quiet = false,
    through,
    isMuted,
  } = start;
  const added = (start.variables ?? []).map((variable) => variable.split("=", 2));
  const env = criuEnvironment({ ...(start.env ?? process.env), ...Object.fromEntries(added) });
  const logsBefore = logFiles(request);
  const inherited = new Set(request.fds);
  const ours = (fd: 1 | 2) => request.execCmd === undefined && !inherited.has(fd);
  const stdoutFd = stdout === "stderr" ? 2 : 1;
  const pipeOut = request.logFile === "-" && ours(1);
  const pipeErr = ours(2);
  const log = quiet && logsToFile(request) ? logPipe() : undefined;

  const stdio = [
    0,
    pipeOut ? "pipe" : stdoutFd,
    pipeErr ? "pipe" : 2,
    ...handedOver(start),
  ] as const;
  start.beforeSpawn?.();
  let child: Bun.Subprocess<"inherit", "pipe", "pipe">;
  try {
    const last = [
      ...withheld(request),
      ...(images ? [`--images-dir=${images.dir}`, `--work-dir=${images.workDir}`] : []),
      // Our end, not one of its own: CRIU's descriptors are what they would be.
      ...(log ? [`--log-file=/proc/${process.pid}/fd/${log.write}`] : []),
    ];
    const words = criuWords(request, options, env.POSIXLY_CORRECT !== undefined, last);
    const command = [...(through?.command ?? []), path, ...words];
    child = Bun.spawn(command, { env, stdio: [...stdio] as never }) as never;
  } finally {
    start.afterSpawn?.();
  }

  const started = through?.started() ?? {
    pid: child.pid,
    exited: child.exited.then((code): Exit => ({ code, signal: child.signalCode })),
    kill: (signal: NodeJS.Signals | number) => child.kill(signal),
    problem: () => undefined,
  };
  const printed: string[] = [];
  let last: string | undefined;
  const hear = (line: string) => {
    if (line !== "") last = line;
    keep(printed, [line]);
  };
  const passing: Passing[] = [];
  const listen = () => {
    if (log) passing.push(passOn(Bun.file(log.read).stream(), openLog(request.logFile!)));
    if (pipeOut) passing.push(passOn(child.stdout, stdoutFd, hear, isMuted));
    if (pipeErr) passing.push(passOn(child.stderr, 2, hear, isMuted));
  };
  if (!quiet) listen();
  const exited = started.exited.then(async (exit) => {
    if (log) closeSync(log.write);
    // What a script left in the background may hold a stream open for ever.
    const stop = setTimeout(() => passing.forEach(({ cancel }) => cancel()), drainTime);
    await Promise.all(passing.map(({ done }) => done));
    clearTimeout(stop);
    return exit;
  });
  return {
    ...started,
    exited,
    listen,
    lastWords: () => last ?? [...logFiles(request).keys()].map(lastLineOf)[0],
    async log() {
      await exited;
      const lines = [...printed];
      for (const [file, state] of logFiles(request)) {
        if (logsBefore.get(file) !== state) keep(lines, linesOf(file));
      }
      return lines;
    },
  };
}

/** Said behind the user's words: what CRIU is not to do, as recriu does it when the tree runs (src/image/dedup.ts). */
export const withheld = ({ autoDedup }: Request): string[] =>
  autoDedup ? ["--no-auto-dedup"] : [];

/** How long, in ms, CRIU's last words may take to arrive after its end. */
const drainTime = 250;

/** Most error lines that are kept: a restore that fails names its cause early. */
const mostLines = 10_000;

function keep(kept: string[], lines: Iterable<string>): void {
  for (const line of lines) {
    if (kept.length >= mostLines) return;
    if (parseLogLine(line)?.level === "Error") kept.push(line);
  }
}

/** CRIU logs to a file of its own. */
const logsToFile = ({ logFile }: Request): boolean => logFile !== undefined && logFile !== "-";

/** As CRIU opens its log, new and with this mode (log_init in criu/log.c); but not through what a user has put there. */
function openLog(path: string): number {
  const opened = openOwnFile(path, 0o600);
  if (!opened.ok) throw new Error(opened.problem);
  ftruncateSync(opened.fd);
  return opened.fd;
}

function logPipe(): { read: number; write: number } {
  const ends = pipe();
  if (typeof ends === "number") throw new Error("no pipe can be made");
  return { read: ends[0], write: ends[1] };
}

/** The descriptors from 3 on, in the places of their numbers in CRIU; null leaves one closed. */
function handedOver({
  request,
  through,
  fds = through?.fds ?? new Map(),
}: Start): (number | null)[] {
  const wanted = new Map([...request.fds.map((fd) => [fd, fd] as const), ...fds]);
  const open = [...wanted].filter(([number, fd]) => number > 2 && isOpen(fd));
  const last = Math.max(2, ...open.map(([number]) => number));
  const places: (number | null)[] = Array.from({ length: last - 2 }, () => null);
  for (const [number, fd] of open) places[number - 3] = fd;
  return places;
}

/** CRIU itself complains of a descriptor that is not open. */
function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

interface Passing {
  readonly done: Promise<void>;
  cancel(): void;
}

/** Copy a stream to a descriptor as it comes, and hear its lines. */
function passOn(
  stream: ReadableStream<Uint8Array>,
  fd: number,
  hear: (line: string) => void = () => {},
  isMuted: () => boolean = () => false,
): Passing {
  const split = lineSplitter(hear);
  const reader = stream.getReader();
  const copy = async () => {
    let heard = true;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      split(next.value);
      heard &&= !isMuted() && (await writeAll(fd, next.value));
    }
    split(new Uint8Array([10]));
  };
  return { done: copy(), cancel: () => void reader.cancel() };
}

/** False when the reader is gone, which CRIU does not mind either. */
async function writeAll(fd: number, chunk: Uint8Array): Promise<boolean> {
  let rest = chunk;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return false;
      await Bun.sleep(1);
    }
  }
  return true;
}
