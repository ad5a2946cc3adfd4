/** What a check says that CRIU will say is known to `explain` as that check's, where it stands in the check word for word. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { explain } from "../../src/explain/index.ts";

const CHECKS = join(import.meta.dir, "../../src/checks");

/** The messages of one file, whose name is the check's id. */
function foretold(path: string): [id: string, message: string][] {
  const source = readFileSync(join(CHECKS, path), "utf8");
  return Array.from(source.matchAll(/criu_message:\s+"([^"]*)"/g), ([, message]) => [
    basename(path, ".ts"),
    message!,
  ]);
}

test("each is told by an entry that names its check", () => {
  const all = readdirSync(CHECKS, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap(foretold);
  expect(all.length).toBeGreaterThan(25);
  const others = all.filter(([id, message]) => {
    const known = explain(message);
    return known?.check !== id && known?.also.includes(id) !== true;
  });
  expect(others).toEqual([]);
});
