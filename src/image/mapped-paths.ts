/** A checkpoint whose files and sockets are elsewhere here: seen with the names that they are to have, and the fields that say so. */
import type { Checkpoint } from "./checkpoint.ts";
import type { FieldEdit } from "./edit.ts";
import type { Seal } from "./manifest.ts";
import { type MntEntry, mountpointOf } from "./mounts.ts";
import { oncePer } from "./once.ts";
import { file_entry } from "./tables/files.ts";
import { mnt_entry } from "./tables/namespaces.ts";
import { fromBytes, toBytes } from "./text.ts";
import type { FileEntry } from "./types.ts";

/** A path and what is below it, and where that is; absolute, and without a slash at their ends. */
export interface MappedPath {
  readonly from: string;
  readonly to: string;
}

type To = (path: string) => string;

/** The first of them that fits counts; of those only one is to be gone along. */
const along =
  (paths: readonly MappedPath[], only?: MappedPath): To =>
  (path) => {
    const found = paths.find(({ from }) => path === from || path.startsWith(`${from}/`));
    if (only !== undefined && found !== only) return path;
    return found === undefined ? path : found.to + path.slice(found.from.length);
  };

/** A name of unix(7) up to its first NUL; an abstract one has that first, and no path. */
function renamed(name: Uint8Array, to: To): Uint8Array {
  const end = name.indexOf(0);
  const path = fromBytes(end < 0 ? name : name.subarray(0, end));
  return path.startsWith("/")
    ? Buffer.concat([toBytes(to(path)), end < 0 ? new Uint8Array() : name.subarray(end)])
    : name;
}

/** The entry with its paths as they are to be: of files, sockets, and what inotify(7) and fanotify(7) watch. */
function mappedFile(file: FileEntry, to: To): FileEntry {
  const { reg, usk, ify, ffy } = file;
  const handle = <T extends { path?: string | undefined }>(it: T): T =>
    it.path === undefined ? it : { ...it, path: to(it.path) };
  return {
    ...file,
    ...(reg && { reg: { ...reg, name: to(reg.name) } }),
    ...(usk && {
      usk: {
        ...usk,
        name: renamed(usk.name as Uint8Array, to),
        ...(usk.name_dir !== undefined && { name_dir: to(usk.name_dir) }),
      },
    }),
    ...(ify && {
      ify: { ...ify, wd: ify.wd.map((wd) => ({ ...wd, f_handle: handle(wd.f_handle) })) },
    }),
    ...(ffy && {
      ffy: {
        ...ffy,
        mark: ffy.mark.map((mark) => ({
          ...mark,
          ...(mark.ie && { ie: { ...mark.ie, f_handle: handle(mark.ie.f_handle) } }),
          ...(mark.me && { me: handle(mark.me) }),
        })),
      },
    }),
  };
}

/** The mount with its place as it is to be, written as it was: `/dev/pts` or `./dev/pts`, as CRIU has joined it to another path. */
function mappedMount(mount: MntEntry, to: To): MntEntry {
  const at = mountpointOf(mount);
  const now = to(at);
  return now === at
    ? mount
    : { ...mount, mountpoint: mount.mountpoint.startsWith(".") ? `.${now}` : now };
}

/** All is the checkpoint's but the open files and the places of mounts. */
export function withPaths(checkpoint: Checkpoint, paths: readonly MappedPath[]): Checkpoint {
  if (paths.length === 0) return checkpoint;
  let files: ReadonlyMap<number, FileEntry> | undefined;
  const to = along(paths);
  const places = oncePer((mounts: readonly MntEntry[]) =>
    mounts.map((mount) => mappedMount(mount, to)),
  );
  const mapped = () =>
    new Map([...checkpoint.openFiles].map(([id, file]) => [id, mappedFile(file, to)]));
  return Object.create(checkpoint, {
    openFiles: { get: () => (files ??= mapped()) },
    mounts: { value: (id: number) => places(checkpoint.mounts(id)) },
  }) as Checkpoint;
}

/** What a seal says of files outside the images, by the paths that they have here. */
export function sealWithPaths(
  seal: Seal | undefined,
  paths: readonly MappedPath[],
): Seal | undefined {
  if (paths.length === 0 || seal?.ok !== true) return seal;
  const to = along(paths);
  const files = seal.manifest.files.map((file) => ({ ...file, path: to(file.path) }));
  return { ...seal, manifest: { ...seal.manifest, files } };
}

/** What CRIU has to be shown of the images for one of them. */
export function pathEdits(
  checkpoint: Checkpoint,
  paths: readonly MappedPath[],
  path: MappedPath,
): (FieldEdit & { readonly file: string })[] {
  const to = along(paths, path);
  const edits = <T extends object>(file: string, values: readonly T[], mapped: (value: T) => T) =>
    values.flatMap((value, entry) =>
      differences(value, mapped(value)).map((edit) => ({ file, entry, ...edit })),
    );
  const mounts = [...checkpoint.files.keys()].filter((name) => /^mountpoints-\d+\.img$/.test(name));
  return [
    ...edits("files.img", checkpoint.values("files.img", file_entry), (file) =>
      mappedFile(file, to),
    ),
    ...mounts.flatMap((name) =>
      edits(name, checkpoint.values(name, mnt_entry), (mount) => mappedMount(mount, to)),
    ),
  ];
}

/** The texts and bytes in which two messages of one kind differ, by their fields. */
function differences(one: object, other: object, at = ""): Omit<FieldEdit, "entry">[] {
  return Object.entries(other).flatMap(([name, to]): Omit<FieldEdit, "entry">[] => {
    const from: unknown = (one as Record<string, unknown>)[name];
    const field = at === "" ? name : `${at}.${name}`;
    if (from === to) return [];
    if (typeof from === "string" && typeof to === "string") return [{ field, from, to }];
    if (from instanceof Uint8Array && to instanceof Uint8Array)
      return Buffer.compare(from, to) === 0
        ? []
        : [{ field, from: fromBytes(from), to: fromBytes(to) }];
    return typeof from === "object" && from !== null && typeof to === "object" && to !== null
      ? differences(from, to, field)
      : [];
  });
}
