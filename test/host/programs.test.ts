/** Programs as execvp(3) finds them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../src/host/programs.ts";

let dir: string;
const before = process.env.PATH;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-programs-"));
});
afterEach(() => {
  process.env.PATH = before;
  rmSync(dir, { recursive: true });
});

test("a file that may be executed, by its path or its name; no directory, no other file", () => {
  process.env.PATH = dir;
  writeFileSync(join(dir, "program"), "", { mode: 0o755 });
  writeFileSync(join(dir, "text"), "", { mode: 0o644 });
  mkdirSync(join(dir, "directory"));
  for (const name of ["text", "directory", "nothing"]) {
    expect(findProgram(name)).toBeUndefined();
    expect(findProgram(join(dir, name))).toBeUndefined();
  }
  expect([findProgram("program"), findProgram(join(dir, "program"))]).toEqual([
    join(dir, "program"),
    join(dir, "program"),
  ]);
});

test("where PATH has a relative directory, only CRIU will know", () => {
  process.env.PATH = `${dir}:bin`;
  expect(findProgram("nothing-of-this-name")).toBe("nothing-of-this-name");
});
