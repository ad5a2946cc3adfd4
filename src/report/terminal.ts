/** The one way to a person's eyes: lines on stderr, coloured only on a terminal, names from images made harmless. */
import { writeSync } from "node:fs";
import { isTerminal, writable } from "../sys/process.ts";
import { unprintable } from "../sys/shell.ts";

let say = (text: string): void => void write(2, `${text}\n`);
let show = (text: string, end = "\n"): void => void (lost ??= write(1, `${text}${end}`));

/** Why something that was asked for did not get to stdout. */
let lost: string | undefined;
export const lostOutput = (): string | undefined => lost;

/** Write all of a text; returns why that cannot be. A reader that is gone wanted no more. */
function write(fd: number, text: string): string | undefined {
  // process.stdout and process.stderr would cost 8 ms at start.
  for (let bytes = Buffer.from(text); bytes.length > 0;)
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return undefined;
      // A pipe that does not block, and whose reader is slow.
      if (code !== "EAGAIN" || !writable(fd, -1)) return message;
    }
  return undefined;
}

export const line = (text = ""): void => say(text);

let coloured: boolean | undefined;

/** Whether stderr is a terminal that obeys escape sequences: of a serial console nothing may be known, or that it does not. */
export function obeysEscapes(): boolean {
  const { TERM = "" } = process.env;
  return TERM !== "" && TERM !== "dumb" && isTerminal(2);
}

/** https://no-color.org: any value but the empty one turns colours off. */
function colours(): boolean {
  return (coloured ??= !process.env.NO_COLOR && obeysEscapes());
}

/** What `print` says, without colours, instead of saying it. */
export function captured(print: () => void): string {
  const lines: string[] = [];
  const before = { say, show, coloured };
  say = show = (text) => void lines.push(text);
  coloured = false;
  print();
  ({ say, show, coloured } = before);
  return `${lines.join("\n")}\n`;
}

const paint = (code: number) => (text: string) =>
  colours() ? `\u001b[${code}m${text}\u001b[0m` : text;

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);
export const blue = paint(34);

/**
 * Text that came from an image, a log or /proc: control characters, escapes and stray bytes are shown, never sent to
 * the terminal. Lone surrogates U+DC80..DCFF are bytes that were not UTF-8. A command is harmless as it is.
 */
export function harmless(text: string): string {
  return text.replace(unprintable, (char) => {
    const code = char.codePointAt(0)!;
    const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
    return byte < 0x100 ? `\\x${byte.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** The begin of such a text, which goes on where this ends. */
export const printPiece = (text: string): void => show(text, "");

/** Text that was asked for (help, a version, a page, a document): to stdout, as it is. */
export const printText = (text: string): void => show(text.replace(/\n$/, ""));
