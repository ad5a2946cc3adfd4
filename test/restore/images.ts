/** Checkpoints that are not whole. */
import { dump, recriu, type Stage, start } from "./stage.ts";
import { expect } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";

export async function dumpOne(stage: Stage) {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const broken = join(stage.dir, "broken");
  cpSync(images, broken, { recursive: true });
  return { pid, images, broken };
}

/** What recriu says in people's words, which is to be one line, and its exit code. */
export async function said(stage: Stage, command: string, options: string[], cwd = "/") {
  const { exit, stderr } = await recriu(stage, [command, ...options], { cwd });
  expect([command, stderr.trim().split("\n").length]).toEqual([command, 1]);
  return { exit, line: stderr };
}
