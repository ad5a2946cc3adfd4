/** What a restore consumes: nothing of a tree that is not the saved one, and what comes once is told. */
import { afterAll, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestFrom } from "../../src/criu/index.ts";
import * as images from "../../src/image/index.ts";
import { openCheckpoint } from "../../src/image/index.ts";
import { dedupLater, usedUp } from "../../src/restore/consumed.ts";
import { skipped, type Verdict } from "../../src/verify/index.ts";
import { fixture } from "../image/fixture.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-consumed-"));
afterAll(() => rmSync(dir, { recursive: true }));
const pages = join(dir, "pages-1.img");

/** A checkpoint with two pages of data, and what is done of `--auto-dedup` for a verdict. */
function prepared(...words: string[]) {
  for (const [name, bytes] of Object.entries(fixture())) writeFileSync(join(dir, name), bytes);
  writeFileSync(pages, Buffer.alloc(8192, "x"));
  const opened = openCheckpoint(dir);
  const asked = requestFrom(["-D", dir, ...words], {}, []);
  if (!opened.ok || !asked.ok) throw new Error("no checkpoint");
  const dedup = dedupLater(opened.checkpoint, asked.request);
  return (result: Verdict["result"]) => dedup({ ...skipped, result });
}
const isWhole = () => readFileSync(pages).every((byte) => byte === "x".charCodeAt(0));

test("the pages of a tree that was accepted are taken out, those of another are kept", () => {
  const refused = prepared("--auto-dedup")("mismatch");
  expect(refused).toEqual([expect.stringContaining("the images keep all that they hold")]);
  expect(isWhole()).toBe(true);
  expect(prepared("--auto-dedup")("match")).toEqual([]);
  expect(isWhole()).toBe(false);
  expect(statSync(pages).size).toBe(8192);
});

test("nothing is taken out unasked, nor of a stream", () => {
  expect(prepared()("match")).toEqual([]);
  expect(isWhole()).toBe(true);
  expect(prepared("--auto-dedup", "--stream")("match")).toEqual([]);
  expect(isWhole()).toBe(true);
});

test("what cannot be taken out is told, and ends nothing", () => {
  const dedup = prepared("--auto-dedup");
  renameSync(pages, `${pages}.gone`);
  writeFileSync(pages, Buffer.alloc(8192, "x"));
  expect(dedup("match")).toHaveLength(1);
  expect(isWhole()).toBe(true);
});

test("what comes once, and a failed restore has used up", () => {
  const said = (...words: string[]) => {
    const asked = requestFrom(["-D", dir, ...words], {}, []);
    if (!asked.ok) throw new Error(asked.problem);
    return usedUp(asked.request).map((line) => line.split(":")[0]);
  };
  expect(said()).toEqual([]);
  expect(said("--stream")).toEqual(["the stream"]);
  expect(said("--lazy-pages")).toEqual(["the memory of --lazy-pages"]);
});

test("a fault of recriu's own is told, and ends nothing: the tree runs", () => {
  const dedup = prepared("--auto-dedup");
  const punches = spyOn(images, "punch").mockImplementation(() => {
    throw new Error("nobody thought of this");
  });
  try {
    const told = "--auto-dedup came to no end: nobody thought of this";
    expect(dedup("match")).toEqual([told]);
  } finally {
    punches.mockRestore();
  }
});
