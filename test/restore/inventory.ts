/** What the inventory asks of the restore, and plugins. */
import { dump, type Stage, start } from "./stage.ts";
import { cpSync } from "node:fs";
import { join } from "node:path";

export const dumpOf = async (stage: Stage, options: string[] = []) => {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid, options);
  const copy = (name: string): string => {
    cpSync(images, join(stage.dir, name), { recursive: true });
    return join(stage.dir, name);
  };
  return { pid, images, copy };
};
