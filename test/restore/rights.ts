/** Capabilities, limits and what else a task would keep of CRIU. */
import { dump, type Stage, start } from "./stage.ts";

export const without = (capability: string) => [
  "capsh",
  `--drop=${capability}`,
  "--",
  "-c",
  'exec "$@"',
  "sh",
];

export const simple = async (stage: Stage) => {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  return { pid, images: await dump(stage, pid) };
};

export const clear = (set: number[], capability: number) => {
  set[0] = (set[0]! & ~(1 << capability)) >>> 0;
};
