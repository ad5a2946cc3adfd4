/** Files and directories that are not what they were. */
import { dump, type Stage, start } from "./stage.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export async function dumpTree(stage: Stage) {
  const cwd = join(stage.dir, "work");
  const file = join(stage.dir, "data");
  const log = join(stage.dir, "log");
  mkdirSync(cwd);
  writeFileSync(file, "what it was");
  const { pid } = await start(stage, "tree", [cwd, file, log, "2"]);
  return { pid, cwd, file, log, images: await dump(stage, pid) };
}
