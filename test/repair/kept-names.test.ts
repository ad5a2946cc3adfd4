/** The second name of a file that CRIU removes before the tree is accepted: it is there as long as it may be needed. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringNameBack, dropName, keepName } from "../../src/repair/kept-names.ts";
import type { Step } from "../../src/repair/step.ts";

let base: string;
let file: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-names-")));
  file = join(base, "link_remap.5");
  writeFileSync(file, "content");
});
afterEach(() => rmSync(base, { recursive: true }));

const others = () => readdirSync(base).filter((name) => name !== "link_remap.5");

/** The file's second name, and its step. */
function kept(): { step: Step; path: string } {
  const steps: Step[] = [];
  keepName({ kind: "name", root: "/", path: file }, (step) => {
    // It is written down before it is there.
    expect(others()).toEqual([]);
    steps.push(step);
  });
  expect(steps).toHaveLength(1);
  const [step] = steps as [Step];
  const path = join(base, step.kept!);
  expect(others()).toEqual([step.kept!]);
  expect(step.kept).toMatch(/^\.recriu-[0-9a-f]{16}$/);
  const { dev, ino } = statSync(path);
  expect([step.action, step.inode]).toEqual(["name", `${dev}:${ino}`]);
  return { step, path };
}

test("the tree runs: the second name goes, the file stays as CRIU left it", () => {
  const { step } = kept();
  dropName(step);
  expect(readdirSync(base)).toEqual(["link_remap.5"]);
});

test("what somebody put in the place of the second name stays", () => {
  const { step, path } = kept();
  rmSync(path);
  writeFileSync(path, "theirs");
  dropName(step);
  expect(readFileSync(path, "utf8")).toBe("theirs");
  rmSync(file);
  expect(bringNameBack(step)).toBeUndefined();
  expect(existsSync(file)).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("theirs");
});

test("the tree is refused: the first name comes back, and the second goes", () => {
  const { step } = kept();
  rmSync(file);
  expect(bringNameBack(step)).toBeUndefined();
  expect(readFileSync(file, "utf8")).toBe("content");
  expect(readdirSync(base)).toEqual(["link_remap.5"]);
  // CRIU had not come so far: the first is still there.
  const again = kept();
  expect(bringNameBack(again.step)).toBeUndefined();
  expect(readdirSync(base)).toEqual(["link_remap.5"]);
});

test("the first name is another's by now: the content is told where it is", () => {
  const { step, path } = kept();
  rmSync(file);
  writeFileSync(file, "theirs");
  expect(bringNameBack(step)).toContain(`its file is ${step.kept}`);
  expect([readFileSync(file, "utf8"), readFileSync(path, "utf8")]).toEqual(["theirs", "content"]);
});

test("only a file that is there has a second name", () => {
  const refuse = () => {
    throw new Error("it has none");
  };
  renameSync(file, join(base, "moved"));
  keepName({ kind: "name", root: "/", path: file }, refuse);
  mkdirSync(file);
  keepName({ kind: "name", root: "/", path: file }, refuse);
  expect(others()).toEqual(["moved"]);
});
