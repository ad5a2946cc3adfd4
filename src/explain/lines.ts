/**
 * A log of any size to its lines that may matter. The beginning is looked at line by line, as it may be in any form; what
 * follows, which of a log with -v4 can be gigabytes, only where certain words stand.
 */
import { unwrap } from "./forms.ts";

export interface Line {
  /** As CRIU wrote it, or somebody else. */
  readonly text: string;
  /** The line that it stood in, of an engine's own around it. */
  readonly whole: string;
  /** Lines that stood right before it, the nearest last. */
  before(most: number): string[];
  /** The line that follows, where it is at hand, or a later one. */
  next(count?: number): string | undefined;
}

/** Bytes from the beginning that are looked at whole. */
const BEGINNING = 256 * 1024;
/** Longest part of a line that is looked at. */
const LONGEST = 16 * 1024;
const BEFORE = 24;
/** Those that are told of the end. */
const LAST = 12;
const NEWLINE = 10;
/** After so many lines of trouble only the end and the beginning of logs count. */
const PATIENCE = 20_000;
const telling = ["rror", "Warn", "ailed", "ERRO", "blocker["].map((word) => Buffer.from(word));
const ending = ["Version: ", "FAILED", "successfully", "ing processes"].map((word) =>
  Buffer.from(word),
);

/** Fed chunk by chunk, it gives `onLine` the lines that may matter, in their order. */
export function lineReader(onLine: (line: Line) => void): {
  feed(chunk: Uint8Array): void;
  /** The last line; how many there were, and the last ones of them. */
  end(): { lines: number; last: string[] };
} {
  let held: Uint8Array = Buffer.alloc(0);
  let tail: string[] = [];
  let read = 0;
  let looked = 0;
  let lines = 0;

  const look = (bytes: Buffer, from: number, to: number): void => {
    const text = bytes.toString("utf8", from, Math.min(to, from + LONGEST));
    const before = (most: number) => [...tail, ...linesBefore(bytes, from)].slice(-most);
    const mark = marks.exec(text)?.[0].trimEnd() ?? "";
    const next = (count = 1) => lineAfter(bytes, to, { count, mark });
    for (const piece of unwrap(text)) onLine({ text: piece, whole: text, before, next });
  };

  return {
    feed(chunk) {
      const bytes = held.length === 0 ? asBuffer(chunk) : Buffer.concat([held, chunk]);
      const whole = bytes.lastIndexOf(NEWLINE) + 1;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1))
        lines += 1;
      if (read < BEGINNING) for (const [from, to] of linesOf(bytes, whole)) look(bytes, from, to);
      else
        for (const [from, to] of linesWith(
          looked < PATIENCE ? [...telling, ...ending] : ending,
          bytes,
          whole,
        )) {
          looked += 1;
          look(bytes, from, to);
        }
      read += chunk.length;
      tail = [...tail, ...linesBefore(bytes, whole)].slice(-BEFORE);
      // A whole log in one line: in pieces, cut where a line end is written out.
      let from = whole;
      while (bytes.length - from > 2 * LONGEST) {
        const written = bytes.lastIndexOf("\\n", from + LONGEST);
        const to = written > from ? written : from + LONGEST;
        if (looked < PATIENCE) look(bytes, from, to);
        looked += 1;
        from = to;
      }
      held = Buffer.from(bytes.subarray(from));
    },
    end() {
      if (held.length === 0) return { lines, last: tail.slice(-LAST) };
      const bytes = asBuffer(held);
      look(bytes, 0, bytes.length);
      return {
        lines: lines + 1,
        last: [...tail, bytes.toString("utf8", 0, LONGEST)].slice(-LAST),
      };
    },
  };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

type Span = readonly [from: number, to: number];

function* linesOf(bytes: Buffer, end: number): Generator<Span> {
  for (let from = 0; from < end;) {
    const to = bytes.indexOf(NEWLINE, from);
    yield [from, to];
    from = to + 1;
  }
}

/** Lines in which one of the words stands. */
function* linesWith(words: readonly Buffer[], bytes: Buffer, end: number): Generator<Span> {
  const next = words.map((word) => bytes.indexOf(word));
  for (;;) {
    const hit = Math.min(...next.map((at) => (at < 0 ? end : at)));
    if (hit >= end) return;
    const to = bytes.indexOf(NEWLINE, hit);
    yield [bytes.lastIndexOf(NEWLINE, hit) + 1, to];
    for (const [index, word] of words.entries())
      if (next[index]! >= 0 && next[index]! <= to) next[index] = bytes.indexOf(word, to);
  }
}

/** What mails and comments have before each of their lines. */
const marks = /^[\s>*#/|]{1,16}/;

/** A line behind the end of another, without the mark that both have. */
function lineAfter(
  bytes: Buffer,
  end: number,
  { count, mark }: { count: number; mark: string },
): string | undefined {
  const to = bytes.indexOf(NEWLINE, end + 1);
  if (count > 1 && to > 0) return lineAfter(bytes, to, { count: count - 1, mark });
  const text = bytes.toString("utf8", end + 1, Math.min(to < 0 ? bytes.length : to, end + LONGEST));
  return unwrap(text.startsWith(mark) ? text.slice(mark.length) : text)[0];
}

/** A few lines that end before a place. */
function linesBefore(bytes: Buffer, place: number): string[] {
  const lines: string[] = [];
  for (let to = place - 1; to >= 0 && lines.length < BEFORE;) {
    const from = to === 0 ? 0 : bytes.lastIndexOf(NEWLINE, to - 1) + 1;
    lines.unshift(bytes.toString("utf8", from, Math.min(to, from + LONGEST)));
    to = from - 1;
  }
  return lines;
}
