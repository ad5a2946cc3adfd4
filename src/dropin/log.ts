/** CRIU's log, where container runtimes send their users. */
import { appendToOwnFile } from "../sys/own-file.ts";

/** Add a block to the log that a request names, if it can be: CRIU has not begun it yet, or has ended. */
export function appendToLog(path: string | undefined, block: string): void {
  if (path !== undefined && path !== "-") appendToOwnFile(path, block, 0o600);
}
