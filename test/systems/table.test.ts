/** What is told of whole systems: nothing that no run has seen. The runs themselves are `npm run test:systems`. */
import { repository } from "../built.ts";
import { cases } from "../../scripts/systems/junit.ts";
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

test("a report is its cases; one that was cut short has none, and its file did not pass", () => {
  const report = (inner: string) => `<testsuites><testsuite>${inner}</testsuite></testsuites>\n`;
  const passed = '<testcase name="a &quot;b&quot; &lt; c" time="1.5" />';
  const failed = '<testcase name="d" time="2"><failure type="x" /></testcase>';
  const left = '<testcase name="e" time="0"><skipped /></testcase>';
  expect(cases(report(passed + failed + left))).toEqual([
    { name: 'a "b" < c', outcome: "passed", seconds: 1.5 },
    { name: "d", outcome: "failed", seconds: 2 },
    { name: "e", outcome: "skipped", seconds: 0 },
  ]);
  expect(cases(report(passed).slice(0, -16))).toEqual([]);
  expect(cases("")).toEqual([]);
});
