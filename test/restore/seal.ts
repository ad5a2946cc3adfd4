/** A sealed checkpoint, and one that is carried to a machine that has nothing. */
import { startDumped } from "./stage/dumped.ts";
import { recriu, type Stage } from "./stage.ts";
import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const manifestOf = (images: string) => join(images, "recriu.manifest");

/** One byte in the middle of a file is another one. */
export function spoil(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
}

export async function sealed(stage: Stage) {
  const { pid, images } = await startDumped(stage, "memory", ["plain"]);
  const done = await recriu(stage, ["seal", images]);
  expect([done.exit, done.stderr]).toEqual([
    0,
    expect.stringMatching(/\d+ images, .* files outside them\n$/),
  ]);
  return { pid, images };
}
