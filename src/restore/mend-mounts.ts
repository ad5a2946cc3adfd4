/**
 * Flags of mounts that CRIU has not set: before 4.2 those of a tree's root, and since a plan has it shown writable what was read-only when
 * a socket was bound in it. A restriction is given again and none is taken away: it may be whoever restores that has put it there.
 */
import { type Checkpoint, type FieldEdit, mountpointOf } from "../image/index.ts";
import { mnt_entry } from "../image/tables/namespaces.ts";
import { remountIn } from "../sys/mounts.ts";
import {
  type Difference,
  flagsIn,
  type LiveTree,
  type MountSpace,
  mountSpaces,
  ownFlags,
  RESTRICTIONS,
} from "../verify/index.ts";

/** Throws where what an edit has taken off a mount is not on it again. */
export function mendMounts(
  checkpoint: Checkpoint,
  tree: LiveTree,
  edits: readonly (FieldEdit & { readonly file: string })[],
): Difference[] {
  const before = mountSpaces(checkpoint, tree);
  const set = before.flatMap((space) =>
    [...space.saved.keys()].filter((at) => restrict(space, at)).map((at) => ({ space, at })),
  );
  const after = set.length === 0 ? before : mountSpaces(checkpoint, tree);
  const now = (pid: number, at: string) => after.find((one) => one.pid === pid)?.now?.get(at);
  for (const { file, entry } of edits.filter(isOfMount)) {
    const { mnt_id } = checkpoint.values(file, mnt_entry)[entry]!;
    const isAgain = after.some(({ pid, entries }) => {
      const mount = entries.find((each) => each.mnt_id === mnt_id);
      const flags = mount && flagsIn(now(pid, mountpointOf(mount)) ?? ",");
      return flags !== undefined && (ownFlags(mount!) & RESTRICTIONS & ~flags) === 0;
    });
    if (!isAgain)
      throw new Error(`a mount of ${file} was read-only, and cannot be made that again`);
  }
  // Where that is not all that was saved, or more, the comparison says so.
  return set.map(({ space: { task, pid, now: was }, at }): Difference => {
    const expected = `mount at ${at}: ${now(pid, at)}`;
    return { facet: "mounts", task: task.pid, expected, found: was!.get(at)!, class: "mended" };
  });
}

/** Whether the mount at `at` lacked a restriction, and has got it. */
function restrict({ pid, entries, now }: MountSpace, at: string): boolean {
  const found = flagsIn(now?.get(at) ?? ",");
  const [entry, ...others] = entries.filter((each) => mountpointOf(each) === at);
  if (found === undefined || entry === undefined || others.length > 0) return false;
  const saved = ownFlags(entry);
  if ((saved & RESTRICTIONS & ~found) === 0) return false;
  return remountIn(pid, at, saved | (found & RESTRICTIONS)) === 0;
}

const isOfMount = ({ file, field }: { file: string; field: string }): boolean =>
  file.startsWith("mountpoints-") && field === "flags";
