/** docs/verification.md promises no value without a test that sees it differ: its tables are read, value by value. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../built.ts";
import { promised } from "./promised.ts";

const text = readFileSync(join(repository, "docs/verification.md"), "utf8");

/** Rows of the tables whose second column says what is compared, by their first. */
const rows = new Map(
  [...text.matchAll(/^\| (?:facet|kind) \| compared \|.*\n\| --- .*\n((?:\|.*\n)+)/gm)].flatMap(
    ([, body]) =>
      body!
        .trimEnd()
        .split("\n")
        .map((line): [string, string] => {
          const [, name = "", compared = ""] = line
            .split(" | ")
            .map((cell) => cell.replace(/^\| /, ""))
            .toSpliced(0, 0, "");
          return [name.replaceAll(" †", ""), compared];
        }),
  ),
);

test("every row of the tables has its values here, and no other has", () => {
  expect(rows.size).toBeGreaterThan(35);
  expect(Object.keys(promised).toSorted()).toEqual([...rows.keys()].toSorted());
});

for (const [name, compared] of rows)
  test(`${name}: each value`, () => {
    let rest = compared;
    for (const [value] of promised[name] ?? []) {
      expect(rest).toContain(value);
      rest = rest.slice(0, rest.indexOf(value)) + rest.slice(rest.indexOf(value) + value.length);
    }
    // What is left over joins them: a value that is new stands there by name.
    expect(rest.replaceAll(/[.,;:]|\band\b/g, "").trim()).toBe("");
  });

test("where each is seen to differ", () => {
  const texts = new Map<string, string>();
  const missing = Object.entries(promised).flatMap(([name, values]) =>
    values.flatMap(([value, [file, words]]) => {
      const source = texts.get(file) ?? readFileSync(join(repository, file), "utf8");
      texts.set(file, source);
      return source.includes(words) ? [] : `${name}, ${value}: ${file} has no "${words}"`;
    }),
  );
  expect(missing).toEqual([]);
});
