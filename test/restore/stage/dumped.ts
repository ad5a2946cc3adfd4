/** A workload that runs no more, and its images. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { dump, type Stage, start } from "../stage.ts";

/** Starts test/workloads/NAME.c as `start` does and dumps it, with the options `dump` of `criu dump`; without a name a task that waits. */
export async function startDumped(
  stage: Stage,
  name = "sched",
  args: string[] = name === "sched" ? ["other", "0", "0"] : [],
  {
    dump: options = [],
    ...rest
  }: NonNullable<Parameters<typeof start>[3]> & { dump?: string[] } = {},
): Promise<{ pid: number; images: string }> {
  const { pid } = await start(stage, name, args, rest);
  return { pid, images: await dump(stage, pid, options) };
}

/** A copy of these images on the stage, to be changed. */
export function copyOf(stage: Stage, images: string, name: string): string {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  return copy;
}
