/** What the images alone give the tree of this machine: seen inside a tree that bare CRIU restored without a word. */
import { copyOf } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import type { Finding } from "../report.ts";
import { descendants, killTree, restoreBare, type Stage } from "../stage.ts";
import { expect } from "bun:test";
import { readdirSync } from "node:fs";

export const told = (findings: Finding[], id: string) =>
  findings
    .filter((each) => each.id === id)
    .map(({ severity, subject, message }) => ({ severity, subject, message }))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));

/** A copy of images in which the mount at `at` is changed. */
export function changed(
  stage: Stage,
  images: string,
  name: string,
  at: string,
  change: object,
): string {
  const copy = copyOf(stage, images, name);
  const file = readdirSync(copy).find((entry) => entry.startsWith("mountpoints"))!;
  edit(copy, file, (mounts) =>
    Object.assign(
      mounts.find(({ mountpoint }) => mountpoint === at),
      change,
    ),
  );
  return copy;
}

/** Restored by CRIU alone with exit 0: the root of its tree as this machine sees it, while `use` looks at it. */
export async function inBare(
  stage: Stage,
  images: string,
  options: string[],
  use: (root: string) => void,
): Promise<void> {
  const bare = await restoreBare(stage, images, options);
  expect([bare.exit, bare.errors.slice(1)]).toEqual([0, []]);
  const init = descendants(stage.supervisor.pid).at(-1)!;
  use(`/proc/${init.pid}/root`);
  await killTree(stage, init.pid);
}
