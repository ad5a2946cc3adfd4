/** A sealed checkpoint, and one that is carried to a machine that has nothing. */
import { dump, recriu, type Stage, start } from "./stage.ts";
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
  const { pid } = await start(stage, "memory", ["plain"]);
  const images = await dump(stage, pid);
  const done = await recriu(stage, ["seal", images]);
  expect([done.exit, done.stderr]).toEqual([
    0,
    expect.stringMatching(/\d+ images, .* files outside them\n$/),
  ]);
  return { pid, images };
}
