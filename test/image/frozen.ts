/** A checkpoint with frozen messages: changing one throws, as modules are in strict mode. */
import type { Checkpoint } from "../../src/image/index.ts";

export function frozen(checkpoint: Checkpoint): Checkpoint {
  checkpoint.readEverything();
  checkpoint.messages(freeze);
  for (const task of checkpoint.tasks) for (const { core } of task.threads) freeze(core);
  return checkpoint;
}

/** What has bytes in it cannot be frozen: those the types protect. */
function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
}
