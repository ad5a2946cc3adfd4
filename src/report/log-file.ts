/** CRIU's log, where tools and container runtimes send their users. */
import { closeSync, ftruncateSync } from "node:fs";
import { appendToOwnFile, openOwnFile, writeAll } from "../sys/own-file.ts";

const MODE = 0o600;

/** Add a block to the log that a request names, if it can be: CRIU has not begun it yet, or has ended. */
export function appendToLog(path: string | undefined, block: string): void {
  if (isFile(path)) appendToOwnFile(path, block, MODE);
}

/** Leave a block as that log, if it can be, as CRIU leaves one that has failed. */
export function leaveLog(path: string | undefined, block: string): void {
  const opened = isFile(path) ? openOwnFile(path, MODE) : undefined;
  if (!opened?.ok) return;
  try {
    ftruncateSync(opened.fd);
    writeAll(opened.fd, Buffer.from(block));
  } catch {
    // a full disk
  } finally {
    closeSync(opened.fd);
  }
}

const isFile = (path: string | undefined): path is string => path !== undefined && path !== "-";
