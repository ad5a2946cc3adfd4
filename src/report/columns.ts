/** Help texts in two columns, as wide as the terminal that shows them. */
import { columnsOf } from "../sys/descriptors.ts";

/** Characters of a line where no terminal says, and at the most; and of the words that stand beside what they mean. */
const USUAL = 80;
const WIDEST = 100;
const BESIDE = 26;

type Row = readonly [words: string, means: string];

export const section = (name: string, lines: readonly Row[]): string => `${name}\n\n${rows(lines)}`;

/** Words and what they mean; what is too long to stand beside its meaning stands above it. */
export function rows(lines: readonly Row[]): string {
  const beside = Math.min(BESIDE, Math.max(...lines.map(([words]) => words.length)));
  return lines
    .map(([words, means]) => {
      const text = wrapped(means, beside + 4);
      return words.length > beside
        ? `  ${words}\n${text}`
        : `  ${words.padEnd(beside)}  ${text.trimStart()}`;
    })
    .join("\n");
}

/** A text in lines that fit, so far from the margin; one that has a margin of its own stays as it is. */
export function wrapped(text: string, margin: number): string {
  if (margin === 0 && /^\s|\n/.test(text)) return text;
  const room = Math.min(columnsOf(1) ?? USUAL, WIDEST) - margin;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => `${" ".repeat(margin)}${line}`).join("\n");
}
