/** What cgroups must allow for a tree to come back in them. */
import { edit } from "./edit.ts";
import { dump, hierarchies, type Stage, start } from "./stage.ts";
import { cpSync } from "node:fs";
import { join } from "node:path";

export const v2 = hierarchies().find(({ version }) => version === 2)!;

export async function dumpIn(stage: Stage, cgroup: string, args = ["threads"]) {
  const { pid } = await start(stage, "kernel", args, { cgroups: [cgroup] });
  return { pid, images: await dump(stage, pid) };
}

/** Removing a cgroup takes effect a little later in its parent. */
export async function eventually(write: () => void): Promise<void> {
  for (let left = 500; ; left--)
    try {
      return write();
    } catch (error) {
      if (left === 0) throw error;
      await Bun.sleep(10);
    }
}

export function changed(stage: Stage, images: string, name: string, change: (cgroup: any) => void) {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  edit(copy, "cgroup.img", ([cgroup]) => change(cgroup));
  return copy;
}
