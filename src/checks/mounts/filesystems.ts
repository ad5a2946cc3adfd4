/** File systems that CRIU mounts anew, and how mounts share what happens below them (mount.c, mount-v2.c). */
import type { Context } from "../finding.ts";
import { EXTERNAL_DEVICE, type Mount } from "./external.ts";
import { boundAndMade } from "./mount-of-host.ts";

/**
 * The mounts by which CRIU may mount a file system anew, for each that it has to: the first of them does, and all others of
 * the device are bound from it. Those that the user named devices for come first, else it is one that shows the whole of
 * the file system.
 */
export function newFilesystems(context: Context): (readonly [Mount, ...Mount[]])[] {
  const groups = Map.groupBy(boundAndMade(context).made, ({ entry }) => entry.root_dev);
  return [...groups.values()].flatMap((members) => {
    const depth = ({ at }: Mount) => at.split("/").length;
    const group = members.toReversed().sort((a, b) => depth(b) - depth(a)); // as CRIU mounts them
    const named = group.filter(({ key }) => key === EXTERNAL_DEVICE);
    const whole = group.filter(({ entry }) => entry.root === "/");
    const [first, ...others] = [named, whole, group].find(({ length }) => length > 0) ?? [];
    return first === undefined ? [] : [[first, ...others] as const];
  });
}
