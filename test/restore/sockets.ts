/** Sockets whose names belong to somebody else by now. */
import { dump, type Stage, start } from "./stage.ts";
import { join } from "node:path";

export async function dumpServer(stage: Stage) {
  const sockets = join(stage.dir, "sockets");
  const args = [sockets, join(stage.dir, "progress")];
  const { pid } = await start(stage, "x11-server", args);
  return { pid, sockets, path: join(sockets, "X7"), args, images: await dump(stage, pid) };
}
