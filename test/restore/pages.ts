/** Memory that is not where the images say: incremental chains, lazy dumps, page maps that fit no mapping. */
import { dump, type Stage, start } from "./stage.ts";

export const dumpOf = async (stage: Stage) => {
  const { pid } = await start(stage, "memory", ["plain"]);
  return { pid, images: await dump(stage, pid) };
};

export const incomplete = { exit: 6 };
