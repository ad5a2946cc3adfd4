/** --untrusted: what a tree would have over others: their sockets, signals, cgroups, processors, mounts. */
import { dump, type Stage, start } from "../stage.ts";

export async function held(stage: Stage, things: string[], options: string[] = []) {
  const { pid } = await start(stage, "things", things);
  return { pid, images: await dump(stage, pid, options) };
}
