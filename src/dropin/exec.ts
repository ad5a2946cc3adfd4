/**
 * What this process was given when it was executed. The runtime changes some of it before any of recriu's code runs, and
 * reads words and environment as UTF-8; a program that takes this process over finds everything as it was.
 */
import { inheritedLimits } from "../restore/limits.ts";
import { errorText } from "../sys/errno.ts";
import { front } from "../sys/front.ts";
import { defaultSignal, execve, keepOpen, toNowhere } from "../sys/process.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { bytesAt, closeHandle, linkAt, namesAt, readAt } from "../sys/small-files.ts";

export interface Exec {
  /** Words and environment, byte for byte, each with its NUL. */
  readonly argv: readonly Buffer[];
  readonly env: readonly Buffer[];
  /** Descriptors from 3 on. */
  readonly fds: readonly number[];
}

/** To be called before anything is opened. */
export function inheritedExec(): Exec {
  return {
    argv: strings("/proc/self/cmdline"),
    env: strings("/proc/self/environ"),
    fds: inheritedDescriptors(),
  };
}

function strings(file: string): Buffer[] {
  const bytes = bytesAt(AT_FDCWD, file);
  if (typeof bytes === "number") throw new Error(`${file}: ${errorText(bytes)}`);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    found.push(bytes.subarray(at, end + 1));
    at = end + 1;
  }
  return found;
}

function inheritedDescriptors(): number[] {
  const open = new Map<number, string>();
  const numbers = namesAt(AT_FDCWD, "/proc/self/fd");
  if (numbers === undefined) throw new Error("/proc/self/fd cannot be read");
  for (const fd of numbers.map(Number)) {
    // The one that the list was read with is gone.
    const target =
      fd > 2 && fd !== front?.socket ? linkAt(AT_FDCWD, `/proc/self/fd/${fd}`) : undefined;
    if (target !== undefined) open.set(fd, target);
  }
  const runtimeFds = new Set([...open.keys()].flatMap((fd) => runtimesPair(fd, open)));
  return [...open.keys()].filter((fd) => !runtimeFds.has(fd));
}

/** The runtime's event loop: an epoll that waits for one eventfd, edge-triggered and without a user of its own yet. */
function runtimesPair(fd: number, open: ReadonlyMap<number, string>): number[] {
  if (open.get(fd) !== "anon_inode:[eventpoll]") return [];
  const info = readAt(AT_FDCWD, `/proc/self/fdinfo/${fd}`) ?? "";
  const waits = [...info.matchAll(/^tfd:\s*(\d+) events: (\w+)/gm)];
  const [, target, events] = waits[0] ?? [];
  if (waits.length !== 1 || events !== "80000019") return [];
  return open.get(Number(target)) === "anon_inode:[eventfd]" ? [fd, Number(target)] : [];
}

/** Hold nothing of what the front was given: whoever waits for its end would wait for this process's. */
export function letGo({ fds }: Exec, standard: readonly number[]): void {
  for (const fd of fds) closeHandle(fd);
  for (const fd of standard) toNowhere(fd);
}

const SIGPIPE = 13;
const SIGXFSZ = 25;

/**
 * Execute `path` in the place of the process that was started, with what that was given, `options` before all other words: -errno when
 * it cannot be executed. 0: the front has become it, and this process goes on.
 */
export function become(
  path: string,
  { argv: [name, ...words], env, fds }: Exec,
  options: readonly string[] = [],
  additions: readonly string[] = [],
): number {
  const argv = [name ?? "criu", ...options, ...words];
  const environment = [...env, ...additions];
  if (front !== undefined) return front.become(path, argv, environment);
  for (const fd of fds) keepOpen(fd);
  // The runtime ignores both.
  defaultSignal(SIGPIPE);
  defaultSignal(SIGXFSZ);
  const { beforeSpawn, afterSpawn } = inheritedLimits();
  beforeSpawn();
  const failed = execve(path, argv, environment);
  afterSpawn();
  return failed;
}
