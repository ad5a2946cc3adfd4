/** A task with the descriptors, sockets, locks and files that test/workloads/objects.c makes, and its images. */
import { dump, type Stage, start } from "./stage.ts";

/** Start it with these objects and dump it, with options of `criu dump`. */
export async function dumpObjects(stage: Stage, objects: string[], options: string[] = []) {
  const { pid } = await start(stage, "objects", objects);
  return { pid, images: await dump(stage, pid, options) };
}
