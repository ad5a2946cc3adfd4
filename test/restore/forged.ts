/** Images that no dump made: what bare CRIU does to this machine on their word, and that recriu names it and lets none of it be done. */
import { startDumped } from "./stage/dumped.ts";
import { openStage } from "./stage.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A tree that has `file` open, and a file of somebody else's. */
export async function stageFile(objects: (file: string) => string[], file = "file") {
  const stage = openStage();
  const path = join(stage.dir, file);
  const victim = join(stage.dir, "victim");
  writeFileSync(path, "content");
  writeFileSync(victim, "precious", { mode: 0o600 });
  const { pid, images } = await startDumped(stage, "objects", objects(path));
  return { stage, path, victim, pid, images };
}

/** The entry of the regular file `name` in files.img. */
export const regOf = (entries: any[], name: string) =>
  entries.find(({ reg }) => reg?.name === name).reg;
