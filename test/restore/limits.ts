/** Trees that are beyond a limit of this machine. */
import { dump, type Stage, start } from "./stage.ts";

export const dumpOf = async (stage: Stage, ...args: string[]) => {
  const { pid } = await start(stage, "memory", args);
  return { pid, images: await dump(stage, pid) };
};
