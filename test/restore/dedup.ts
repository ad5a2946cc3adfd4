/** --auto-dedup: the images lose nothing before the tree runs, and then what bare CRIU would have taken. */
import { startDumped } from "./stage/dumped.ts";
import { killTree, restoreBare, type Stage } from "./stage.ts";
import { expect } from "bun:test";
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A tree with memory of every kind. */
export async function dumped(stage: Stage) {
  const file = join(stage.dir, "mapped");
  writeFileSync(file, Buffer.alloc(4 * 4096, "x"));
  return startDumped(stage, "contents", [file]);
}

const pagesOf = (images: string) =>
  readdirSync(images)
    .filter((name) => name.startsWith("pages-"))
    .toSorted();

/** Blocks of every pages image, the parent's too. */
export const blocks = (images: string): number[] =>
  [images, join(images, "parent")].flatMap((dir) => {
    const there = statSync(dir, { throwIfNoEntry: false });
    return there ? pagesOf(dir).map((name) => statSync(join(dir, name)).blocks) : [];
  });

export const bytes = (images: string) =>
  pagesOf(images).map((name) => Bun.hash(readFileSync(join(images, name))));

export function copy(stage: Stage, images: string, name: string): string {
  const to = join(stage.dir, name);
  cpSync(images, to, { recursive: true, verbatimSymlinks: true });
  return to;
}

/** A script that refuses the tree when everything is read, at the last moment at which CRIU heeds it. */
export function veto(stage: Stage): string {
  const path = join(stage.dir, "veto");
  writeFileSync(path, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n", { mode: 0o755 });
  return path;
}

/** What CRIU of its own takes out of a copy of the images. */
export async function takenByCriu(stage: Stage, images: string, pid: number): Promise<number[]> {
  const consumed = copy(stage, images, "bare");
  expect((await restoreBare(stage, consumed, ["--auto-dedup"])).exit).toBe(0);
  await killTree(stage, pid);
  const after = blocks(consumed);
  expect(after).not.toEqual(blocks(images));
  return after;
}
