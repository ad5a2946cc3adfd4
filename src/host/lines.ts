/** Lines of files and streams that may be of any size. */
import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { openRegular } from "../sys/regular.ts";

/** Characters of a line that are kept together; CRIU cuts its own at 8 KiB. */
export const LONGEST_LINE = 16 * 1024;

/** Turns chunks of a stream into lines. A line without an end is given in pieces. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder("utf8");
  let partial = "";
  return (chunk) => {
    const lines = (
      partial + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
    ).split("\n");
    partial = lines.pop()!;
    for (const line of lines) onLine(line);
    if (partial.length > LONGEST_LINE) {
      onLine(partial);
      partial = "";
    }
  };
}

/** The lines of a log file of any size, read piece by piece; none when it cannot be read. */
export function* linesOf(path: string): Generator<string> {
  const lines: string[] = [];
  const split = lineSplitter((line) => lines.push(line));
  for (const chunk of chunksOf(path)) {
    split(chunk);
    yield* lines.splice(0);
  }
  split(new Uint8Array([10]));
  if (lines.at(-1) === "") lines.pop();
  yield* lines;
}

/**
 * A file of any size, piece by piece, each good until the next is asked for; none when it cannot be read, or is no regular
 * file. With `any` it may be a pipe: for what somebody named to be read to its end.
 */
export function* chunksOf(path: string, any = false): Generator<Uint8Array> {
  const fd = any ? openAny(path) : regular(path);
  if (fd === undefined) return;
  const chunk = new Uint8Array(256 * 1024);
  try {
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk))
      yield chunk.subarray(0, read);
  } catch {
    // A directory, or a file that went away: what was read counts.
  } finally {
    closeSync(fd);
  }
}

function regular(path: string): number | undefined {
  const opened = openRegular(path);
  return opened.ok ? opened.fd : undefined;
}

function openAny(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
