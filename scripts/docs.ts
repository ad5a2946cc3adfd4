/** `npm run docs`: writes what is made from the code itself, or from another list. A test says when it was not run. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exits } from "../src/report/outcome.ts";
import { checksPage } from "../src/report/pages.ts";
import { lintOverrides } from "./rooms.ts";

const root = join(import.meta.dir, "..");

const exitTable = (): string =>
  [
    "| code | meaning |",
    "| --- | --- |",
    ...exits.map(
      ({ code, means }) => `| ${code} | ${means.replace(/(?<= |\()--?[\w=-]+/g, "`$&`")} |`,
    ),
    "| 128+n | ended by signal n |",
    "",
  ].join("\n");

/** Each file, and what of it is written: all, or what the expression finds. */
const made: readonly { file: string; part: RegExp; text: () => string }[] = [
  { file: "docs/checks.md", part: /^[^]*$/, text: checksPage },
  { file: "README.md", part: /(?<=^## Exit codes\n\n)(?:\|.*\n)+/m, text: exitTable },
  { file: ".oxlintrc.json", part: /^ {2}"overrides"[^]*$/m, text: lintOverrides },
];

/** The files as they stand, and as they shall be. */
export const generated = (): { file: string; now: string; text: string }[] =>
  made.map(({ file, part, text }) => {
    const now = readFileSync(join(root, file), "utf8");
    if (!part.test(now)) throw new Error(`${file} has no place for what is written there`);
    return { file, now, text: now.replace(part, text) };
  });

if (import.meta.main)
  for (const { file, text } of generated()) writeFileSync(join(root, file), text);
