/** CRIU's log, where container runtimes send their users. */
import { closeSync, constants, openSync, writeSync } from "node:fs";

/** Add a block to the log that a request names; CRIU has not begun it yet, or has ended. */
export function appendToLog(path: string | undefined, block: string): void {
  if (path === undefined || path === "-") return;
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  try {
    const fd = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
    writeSync(fd, block);
    closeSync(fd);
  } catch {
    // No log can be written; CRIU would say the same.
  }
}
