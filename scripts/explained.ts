/** Of all that CRIU can print as an error (test/explain/messages.tsv, made by criu-messages.ts), what recriu explain knows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { find, type Found } from "../src/explain/find.ts";
import { index } from "../src/explain/entries/index.ts";

export interface Message {
  readonly file: string;
  /** d, r, c, s: what criu-messages.ts says. */
  readonly ways: string;
  /** CRIU's format; a call that ends in the words of an errno ends in `: %m`. */
  readonly format: string;
}

export const messages: readonly Message[] = readFileSync(
  join(import.meta.dir, "../test/explain/messages.tsv"),
  "utf8",
)
  .trimEnd()
  .split("\n")
  .map((row) => {
    const [file = "", ways = "", format = ""] = row.split("\t");
    return { file, ways, format };
  });

/** A line as CRIU would print it. */
export const lineOf = (format: string, errno: string): string =>
  format
    .replace(/%m$/, errno)
    .replace(/%[-#0-9.*]*(?:l|h|z|j)*[duixXpo]/g, "3")
    .replace(/%[-0-9.*]*[sc]/g, "name");

/** One that nobody lists by itself, one that many do, and what no entry expects. */
const errnos = [
  "Operation not permitted",
  "No such file or directory",
  "Value too large for defined data type",
];

/** What is known of a message, where something is whatever the errno. */
export function known({ file, format }: Message): Found | undefined {
  const found = errnos.map((errno) => find(index(), lineOf(format, errno), { file }));
  return found.includes(undefined) ? undefined : found[0];
}

export interface Count {
  all: number;
  known: number;
  /** Of the known: CRIU says itself what is the matter. */
  plain: number;
}

export function countOf(some: readonly Message[]): Count {
  const found = some.map(known).filter((one) => one !== undefined);
  const plain = found.filter(({ entry }) => entry.plain).length;
  return { all: some.length, known: found.length, plain };
}
