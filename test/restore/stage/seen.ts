/**
 * What real CRIUs said on stages, for `recriu explain`: with RECRIU_SEEN=FILE in the environment each stage adds the errors of
 * the logs in it to FILE, before it is gone. `scripts/seen.ts FILE` makes test/explain/seen.tsv of that.
 */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export function noteErrors(dir: string): void {
  const file = process.env["RECRIU_SEEN"];
  if (file === undefined) return;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".log")) continue;
    const log = readFileSync(join(entry.parentPath, entry.name), "latin1");
    // A real one begins so; what stands in for CRIU in some tests does not.
    if (!/Version: \d/.test(log) || !log.includes("Running on ")) continue;
    const way = /\b(Dump|Restor)(?:ing (?:processes|FAILED)|e finished)/.exec(log)?.[1] ?? "";
    const errors = log.split("\n").filter((line) => /\bError \(/.test(line));
    const told = errors.map((line) => `${way}\t${line.replaceAll(dir.slice(1), "srv")}\n`);
    appendFileSync(file, told.join(""));
  }
}
