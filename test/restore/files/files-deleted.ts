/** Files that are other builds, deleted ones, FIFOs and locks. */
import { dump, type Stage, start } from "../stage.ts";

export async function held(stage: Stage, things: string[], options: string[] = []) {
  const { pid } = await start(stage, "things", things);
  return { pid, images: await dump(stage, pid, options) };
}
