/** CRIU's log, where tools and container runtimes send their users. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";

/** Add a block to the log that a request names; CRIU has not begun it yet, or has ended. */
export const appendToLog = (path: string | undefined, block: string): void =>
  writeLog(path, block, true);

/** Leave a block as that log, as CRIU leaves one that has failed. */
export const leaveLog = (path: string | undefined, block: string): void =>
  writeLog(path, block, false);

/**
 * CRIU follows a link and waits for a FIFO's reader; whoever may write to the directory is not obeyed so here. Where no
 * log can be written CRIU would say the same.
 */
function writeLog(path: string | undefined, block: string, append: boolean): void {
  if (path === undefined || path === "-") return;
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const fd = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.nlink !== 1) return;
      if (!append) ftruncateSync(fd);
      writeSync(fd, block);
    } finally {
      closeSync(fd);
    }
  } catch {
    // No log can be written.
  }
}
