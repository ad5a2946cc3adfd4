/** Flags of mounts: CRIU before 4.2 gives a tree's root none, and is shown a mount without them where a socket is to be bound in it. */
import { type Checkpoint, mountpointOf } from "../image/index.ts";
import { remountIn } from "../sys/mounts.ts";
import { type Difference, type LiveTree, mountSpaces, ownFlags } from "../verify/index.ts";

export function mendMounts(checkpoint: Checkpoint, tree: LiveTree): Difference[] {
  return mountSpaces(checkpoint, tree).flatMap(({ task, pid, entries, saved, now }) => {
    const set = [...saved].filter(([at, how]) => {
      const found = now?.get(at);
      const [entry, ...others] = entries.filter((each) => mountpointOf(each) === at);
      if (found === undefined || found === how || entry === undefined || others.length > 0)
        return false;
      return remountIn(`/proc/${pid}/ns/mnt`, at, ownFlags(entry)) === 0;
    });
    if (set.length === 0) return [];
    const after = mountSpaces(checkpoint, tree).find((space) => space.pid === pid)?.now;
    return set.flatMap(([at, how]): Difference[] => {
      const [expected, found] = [`mount at ${at}: ${how}`, now!.get(at)!];
      // Whether it shares, too, is none of its flags.
      if (after?.get(at) !== how) return [];
      return [{ facet: "mounts", task: task.pid, expected, found, class: "mended" }];
    });
  });
}
