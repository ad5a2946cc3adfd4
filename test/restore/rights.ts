/** Capabilities, limits and what else a task would keep of CRIU. */
import { startDumped } from "./stage/dumped.ts";
import { type Stage } from "./stage.ts";

export const without = (capability: string) => [
  "capsh",
  `--drop=${capability}`,
  "--",
  "-c",
  'exec "$@"',
  "sh",
];

export const simple = async (stage: Stage) => {
  return startDumped(stage);
};

export const clear = (set: number[], capability: number) => {
  set[0] = (set[0]! & ~(1 << capability)) >>> 0;
};
