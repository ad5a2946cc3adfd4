/** Every check has a page, a proof and a test; docs/checks.md says what the code says. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue, policyOf } from "../../src/checks/index.ts";
import { catalogue as written, nameOf } from "../../scripts/catalogue.ts";
import { checksPage } from "../../src/report/pages.ts";

const root = join(import.meta.dir, "../..");
const texts = (dir: string) =>
  (readdirSync(join(root, dir), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(root, dir, file), "utf8"))
    .join("\n");

test("docs/checks.md is current (npm run docs)", () => {
  expect(readFileSync(join(root, "docs/checks.md"), "utf8")).toBe(checksPage());
});

test("src/checks/catalogue.ts is current (npm run docs)", () => {
  expect(readFileSync(join(root, "src/checks/catalogue.ts"), "utf8")).toBe(written());
});

test("ids are kebab-case and no two are the same", () => {
  const ids = catalogue.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id))).toEqual([]);
});

test("every check says what, why and what it reads", () => {
  for (const { id, title, why, reads } of catalogue) {
    expect([id, title.length > 10, why.length > 60, reads.length > 10]).toEqual([
      id,
      true,
      true,
      true,
    ]);
  }
});

test("every check is named by a test: of real CRIU where that is its proof", () => {
  const staged = texts("test/restore");
  const all = `${staged}\n${texts("test/checks")}`;
  const unproved = catalogue.filter(
    ({ id, proof }) =>
      !staged.includes(`"${id}"`) &&
      (proof !== "images" || !new RegExp(`"${id}"|\\b${nameOf(id)}(\\.run\\(|[,)])`).test(all)),
  );
  expect(unproved.map(({ id }) => id)).toEqual([]);
});

test("of every option that a finding names it is decided whether recriu adds it", () => {
  const dir = join(root, "src/checks");
  const named = (readdirSync(dir, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts") && file !== "options.ts")
    .flatMap((file) => [
      ...readFileSync(join(dir, file), "utf8").matchAll(/option: ["`](--[^"`]+)/g),
    ])
    .map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((option) => policyOf(option) === undefined)).toEqual([]);
});
