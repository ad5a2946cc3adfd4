/** All that a restore does to this machine beyond the processes' own memory: plain data, from checkpoint, host and request. */
import { tidying } from "../../sys/garbage.ts";
import { hashOf } from "../../sys/text.ts";
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

/** Of one verb and check; of those beyond that their number, in `more` of the last. */
const MOST = 5000;

/** What differs in nothing but its image entry and its task is one effect, with the first of them. */
export function effectsOf(context: Context): Effect[] {
  const found = new Map<string, Effect>();
  const kinds = new Map<string, { last: Effect; kept: number }>();
  /** Hashes of those that are only counted. */
  const counted = new Set<number | bigint>();
  const tidy = tidying();
  for (const family of families)
    for (const one of family(context)) {
      tidy();
      const { verb, what, path, name, detail, when, check } = one;
      const key = JSON.stringify([verb, what, path, name, detail, when, check]);
      const earlier = found.get(key);
      if (earlier !== undefined) {
        earlier.count += 1;
        continue;
      }
      const kind = `${verb} ${check}`;
      const { last = one, kept = 0 } = kinds.get(kind) ?? {};
      if (kept < MOST) {
        found.set(key, one);
        kinds.set(kind, { last: one, kept: kept + 1 });
        continue;
      }
      const { size } = counted;
      if (counted.add(hashOf(key)).size > size) last.more = (last.more ?? 0) + 1;
    }
  return [...found.values()];
}
