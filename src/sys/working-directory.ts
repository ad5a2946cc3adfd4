/**
 * A working directory that has no name any more: deleted, out of reach, or too deep. The runtime does not start in one, so
 * the program's first instructions (scripts/entry.ts) have left it for / and hold it open. CRIU minds it as little as
 * the kernel does: what is started from here on inherits it.
 */
import { AT_FDCWD, FD_CLOEXEC, O_DIRECTORY, O_PATH } from "./linux.ts";
import { join } from "./path.ts";
import { call, libc } from "./libc.ts";
import { closeHandle, linkAt, namesAt } from "./small-files.ts";

const F_GETFD = 1;
const F_GETFL = 3;

/** Go back there, if that is where recriu was started. To be called before anything is opened. */
export function returnToWorkingDirectory(): void {
  if (process.cwd() !== "/") return;
  const directory = (namesAt(AT_FDCWD, "/proc/self/fd") ?? []).map(Number).find(isHeld);
  if (directory === undefined) return;
  // Where this is not allowed, / it is.
  call((c) => c.fchdir(directory));
  closeHandle(directory);
}

/** No descriptor that somebody handed over is close-on-exec, and the runtime opens no directory like that. */
function isHeld(fd: number): boolean {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  const wanted = O_PATH | O_DIRECTORY;
  return flags >= 0 && (flags & wanted) === wanted && libc().fcntl(fd, F_GETFD, 0) === FD_CLOEXEC;
}

/** Its name; undefined where it has none: a name that another directory has is not taken for its own. */
export function workingDirectory(): string | undefined {
  const here = linkAt(AT_FDCWD, "/proc/self/cwd");
  try {
    return process.cwd() === here ? here : undefined;
  } catch {
    return undefined;
  }
}

/** An absolute path to where `path` leads from here. */
export function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  const here = workingDirectory();
  return here === undefined ? `/proc/${process.pid}/cwd/${path}` : join(here, path);
}
