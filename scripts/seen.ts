/**
 * `node_modules/.bin/bun scripts/seen.ts FILE`: of the errors that tests on real CRIUs left in FILE (RECRIU_SEEN, see
 * test/restore/stage/seen.ts) those that `recriu explain` knows, one an entry, added to test/explain/seen.tsv:
 * `CRIU's words <tab> source <tab> line as it was said`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseLogLine } from "../src/criu/log.ts";
import { index } from "../src/explain/entries/index.ts";
import { find } from "../src/explain/find.ts";

const [, , file] = process.argv;
if (file === undefined) {
  process.stderr.write("usage: seen.ts FILE\n");
  process.exit(2);
}
const table = join(import.meta.dir, "../test/explain/seen.tsv");
const rows = new Map<string, string>();
if (existsSync(table))
  for (const row of readFileSync(table, "utf8").trimEnd().split("\n"))
    rows.set(row.slice(0, row.indexOf("\t")), row);
for (const text of readFileSync(file, "utf8").split("\n")) {
  const error = parseLogLine(text.slice(text.indexOf("\t") + 1));
  const found = error && find(index(), error.message, { file: error.file });
  // Not what only looks alike, and what tabs would break.
  if (found === undefined || error!.message.includes("\t")) continue;
  const { text: words } = found.words;
  if (!rows.has(words)) rows.set(words, `${words}\t${error!.file}\t${error!.message}`);
}
const sorted = [...rows.keys()].sort().map((words) => rows.get(words)!);
writeFileSync(table, `${sorted.join("\n")}\n`);
