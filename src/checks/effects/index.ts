/** All that a restore does to this machine beyond the processes' own memory: plain data, from checkpoint, host and request. */
import { tidying } from "../../sys/garbage.ts";
import type { Context } from "../finding.ts";
import { cgroupEffects } from "./cgroups.ts";
import { criuEffects } from "./criu.ts";
import { deletedEffects } from "./deleted.ts";
import type { Effect } from "./effect.ts";
import { fileEffects } from "./files.ts";
import { imageEffects } from "./images.ts";
import { kernelEffects } from "./kernel.ts";
import { mountEffects } from "./mounts.ts";
import { networkEffects } from "./network.ts";
import { signalEffects } from "./signals.ts";
import { socketEffects } from "./sockets.ts";
import { taskEffects } from "./tasks.ts";
import { terminalEffects } from "./terminals.ts";

const families = [
  criuEffects,
  imageEffects,
  mountEffects,
  cgroupEffects,
  deletedEffects,
  fileEffects,
  socketEffects,
  terminalEffects,
  networkEffects,
  kernelEffects,
  signalEffects,
  taskEffects,
];

/** What differs in nothing but its image entry and its task is one effect, with the first of them. */
export function effectsOf(context: Context): Effect[] {
  const found = new Map<string, Effect>();
  const tidy = tidying();
  for (const family of families)
    for (const one of family(context)) {
      tidy();
      const { verb, what, path, name, detail, when, check } = one;
      const key = JSON.stringify([verb, what, path, name, detail, when, check]);
      const earlier = found.get(key);
      if (earlier === undefined) found.set(key, one);
      else earlier.count += 1;
    }
  return [...found.values()];
}
