/** What is told of whole systems: nothing that no run has seen. The runs themselves are `npm run test:systems`. */
import { repository } from "../built.ts";
import { cases } from "../../scripts/systems/cases.ts";
import { matrix, seen, support } from "../../scripts/systems/table.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const text = (file: string) => readFileSync(join(repository, file), "utf8");

test("README and docs/systems.md have the rows of docs/systems.json, and no others", () => {
  for (const file of ["README.md", "docs/systems.md"])
    expect(text(file)).toContain(support(seen()));
  expect(text("docs/systems.md")).toContain(matrix(seen()));
  const known = readdirSync(join(repository, "scripts/systems/known"));
  for (const { name, tests, passed } of seen().rows) {
    expect(known).toContain(`${name}.ts`);
    expect(passed).toBeGreaterThan(0);
    expect(tests.filter((file) => !existsSync(join(repository, file)))).toEqual([]);
  }
});

test("every file that a system is to run is there", async () => {
  for (const file of readdirSync(join(repository, "scripts/systems/known"))) {
    const { system } = await import(join(repository, "scripts/systems/known", file));
    const files: string[] = [...system.tests, ...system.afterwards];
    expect(files.filter((each) => !existsSync(join(repository, each)))).toEqual([]);
  }
});

test("a log is its cases, each once; one that was cut short has those that ended", () => {
  const log = `bun test v1

test/restore/a.test.ts:
(pass) a "b" < c [1500.00ms]
    (pass) printed by a test
(fail) d > e [2000.00ms]
  ^ this test timed out after 300000ms.

test/systems/b.ts:
(skip) f [g] h
`;
  const all = [
    { file: "test/restore/a.test.ts", name: 'a "b" < c', outcome: "passed", seconds: 1.5 },
    { file: "test/restore/a.test.ts", name: "d > e", outcome: "failed", seconds: 2 },
    { file: "test/systems/b.ts", name: "f [g] h", outcome: "skipped", seconds: 0 },
  ] as const;
  const summary = "\n1 tests failed:\n(fail) d > e [2000.00ms]\n\n 1 pass\n 1 fail\n";
  expect(cases(log)).toEqual([...all]);
  expect(cases(log + summary)).toEqual([...all]);
  expect(cases(log.slice(0, log.indexOf("(fail)")))).toEqual([all[0]]);
  expect(cases("")).toEqual([]);
});
