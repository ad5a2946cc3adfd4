/** What a command came to, as it is told: commands return it, and only this room prints. */
import { printJson } from "./json.ts";
import { version } from "./version.ts";
import { exitCode } from "./outcome.ts";
import { harmless, line, lostOutput, printText } from "./terminal.ts";

declare const safe: unique symbol;
/** A line in which every name from elsewhere was made harmless: only `said` makes one. */
export type Line = string & { readonly [safe]: true };

/** A line of words of recriu's own, around values that are anybody's. */
export const said = (words: TemplateStringsArray, ...values: readonly (string | number)[]): Line =>
  String.raw({ raw: words }, ...values.map((value) => harmless(String(value)))) as Line;

/** One line of several pieces. */
export const joined = (...lines: readonly Line[]): Line => lines.join("") as Line;

/** A line in a colour. */
export const painted = (paint: (text: string) => string, text: Line): Line => paint(text) as Line;

/** The exit code, and what is said before it, in this order: a document on stdout (documents.ts), a text there, lines on stderr. */
export interface Told {
  readonly exit: number;
  readonly json?: object;
  readonly text?: string;
  readonly lines?: readonly Line[];
  /** More was done than to tell: the exit code stands, whether it could be told or not. */
  readonly done?: true;
}

/** Grows when a field of a document changes its meaning; new fields alone do not change it. */
const SCHEMA = 1;

/** Say it; with `asJson` a mistake is a document, too. Returns the exit code. */
export function tell({ exit, json, text, lines = [], done }: Told, asJson = false): number {
  if (json !== undefined) printJson({ recriu: version, schema: SCHEMA, ...json });
  else if (asJson && text === undefined && exit !== 0 && lines.length > 0)
    printJson({ recriu: version, schema: SCHEMA, exit, problem: lines.join("\n") });
  if (text !== undefined) printText(text);
  tellLines(lines);
  const lost = lostOutput();
  if (lost === undefined) return exit;
  line(`recriu: not all could be written to stdout: ${lost}`);
  return exit === exitCode.ok && done === undefined ? exitCode.unable : exit;
}

/** Lines that are not to wait for the end of the command. */
export const tellLines = (lines: readonly Line[]): void => lines.forEach((each) => line(each));

/** A command that cannot, or can no longer, do what it was asked. */
export const refused = (command: string, exit: number, problem: string): Told => ({
  exit,
  lines: [said`recriu ${command}: ${problem}`],
});
