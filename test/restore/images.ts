/** Checkpoints that are not whole. */
import { copyOf, startDumped } from "./stage/dumped.ts";
import { recriu, type Stage } from "./stage.ts";
import { expect } from "bun:test";

export async function dumpOne(stage: Stage) {
  const { pid, images } = await startDumped(stage);
  const broken = copyOf(stage, images, "broken");
  return { pid, images, broken };
}

/** What recriu says in people's words, which is to be one line, and its exit code. */
export async function said(stage: Stage, command: string, options: string[], cwd = "/") {
  const { exit, stderr } = await recriu(stage, [command, ...options], { cwd });
  expect([command, stderr.trim().split("\n").length]).toEqual([command, 1]);
  return { exit, line: stderr };
}
