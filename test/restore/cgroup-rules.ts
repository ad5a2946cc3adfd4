/** What cgroups must allow for a tree to come back in them. */
import { copyOf, startDumped } from "./stage/dumped.ts";
import { edit } from "./edit.ts";
import { hierarchies, type Stage } from "./stage.ts";

export const v2 = hierarchies().find(({ version }) => version === 2)!;

export async function dumpIn(stage: Stage, cgroup: string, args = ["threads"]) {
  return startDumped(stage, "kernel", args, { cgroups: [cgroup] });
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
  const copy = copyOf(stage, images, name);
  edit(copy, "cgroup.img", ([cgroup]) => change(cgroup));
  return copy;
}
