/** What a seal takes along of this machine: what the tree has open, and names that CRIU wants to find, whatever is there. */
import { oncePer, type NeededFile } from "../../image/index.ts";
import { dirname } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import { savedMounts } from "../mounts/external.ts";
import { inRootNamespace } from "../mounts/mount-sources.ts";
import type { HostPlace } from "../paths.ts";
import { pathSockets } from "../sockets/sockets.ts";
import { filesNeeded, neededAt } from "./file-differs.ts";
import { linksOf } from "./link-remap-missing.ts";
import { isDirectoryUse, usedFiles } from "./used-files.ts";
import { watchedPaths } from "./watches.ts";

export interface Along {
  readonly file: NeededFile;
  readonly place: HostPlace;
}

interface Name {
  readonly path: string;
  /** The mount that it lies on, as the images number it. */
  readonly mount: number | undefined;
}

/** Names that must be there: what is watched, and where something is mounted. */
const expected = oncePer((context: Context): readonly Name[] => [
  ...watchedPaths(context).map(({ path, mnt_id }) => ({ path, mount: mnt_id })),
  ...savedMounts(context)
    .filter((mount) => !mount.isRoot && inRootNamespace(context, mount))
    .map(({ at, entry }) => ({ path: at, mount: entry.parent_mnt_id })),
]);

/** The directories among them, those of sockets, and what tasks have as working or root directory. */
export const directoriesAlong = (context: Context): HostPlace[] =>
  [
    ...usedFiles(context)
      .filter(isDirectoryUse)
      .map(({ reg }) => ({ path: reg.name, mount: reg.mnt_id })),
    ...pathSockets(context).map(({ name, entry }) => ({
      path: dirname(name.path),
      mount: entry.mnt_id,
    })),
    ...expected(context),
  ].flatMap(({ path, mount }) => {
    const place = context.namespaces.place(path, mount);
    const found = place.onHost && place.path === path ? place.root.look(path) : undefined;
    return place.onHost && found?.ok && found.stat.isDirectory() ? [place] : [];
  });

/** The files among them, each once, with those that the tree uses and the names that the dump gave to deleted ones. */
export function filesAlong(context: Context): Along[] {
  const others = [
    ...linksOf(context).map(({ target, reg }) => ({ path: target.name, mount: reg.mnt_id })),
    ...expected(context),
  ].flatMap(({ path, mount }): Along[] => {
    const place = context.namespaces.place(path, mount);
    const file = place.onHost ? neededAt(path, place, false) : undefined;
    return place.onHost && file !== undefined ? [{ file, place }] : [];
  });
  const all = [...others, ...filesNeeded(context)];
  return [...new Map(all.map((each) => [each.file.path, each])).values()];
}
