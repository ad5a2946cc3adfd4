/** Where CRIU writes, its pid file, scripts, and /tmp. */
import { dump, type Stage, start } from "../stage.ts";

export const dumpOf = async (stage: Stage) => {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  return { pid, images: await dump(stage, pid) };
};
