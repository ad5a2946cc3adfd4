/** `npm run docs`: writes what is made from the code itself, or from another list. A test says when it was not run. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exits } from "../src/report/outcome.ts";
import { catalogue } from "./catalogue.ts";
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

/** Of the catalogue as it was just written: nothing that imports it is loaded before. */
const checksPage = async (): Promise<string> =>
  (await import("../src/report/pages.ts")).checksPage();

/** Of the entries, which the catalogue's ids stand in. */
const explainPage = async (): Promise<string> => (await import("./explained.ts")).explainPage();

const whole = /^[^]*$/;

/** Each file, and what of it is written: all, or what the expression finds. In this order. */
const made: readonly { file: string; part: RegExp; text: () => string | Promise<string> }[] = [
  { file: "src/checks/catalogue.ts", part: whole, text: catalogue },
  { file: "docs/checks.md", part: whole, text: checksPage },
  { file: "docs/explain.md", part: whole, text: explainPage },
  { file: "README.md", part: /(?<=^## Exit codes\n\n)(?:\|.*\n)+/m, text: exitTable },
  { file: ".oxlintrc.json", part: /^ {2}"overrides"[^]*$/m, text: lintOverrides },
];

/** The files as they stand, and as they shall be: each is to be written before the next is asked for. */
export async function* generated(): AsyncGenerator<{ file: string; now: string; text: string }> {
  yield* inParts();
  const { schemas } = await import("./schemas/index.ts");
  for (const { file, text } of schemas()) {
    const path = join(root, file);
    yield { file, now: existsSync(path) ? readFileSync(path, "utf8") : "", text };
  }
}

async function* inParts(): ReturnType<typeof generated> {
  for (const { file, part, text } of made) {
    const now = readFileSync(join(root, file), "utf8");
    if (!part.test(now)) throw new Error(`${file} has no place for what is written there`);
    const written = await text();
    yield { file, now, text: now.replace(part, () => written) };
  }
}

if (import.meta.main)
  for await (const { file, text } of generated()) writeFileSync(join(root, file), text);
