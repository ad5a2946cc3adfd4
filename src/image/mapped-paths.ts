/** A checkpoint whose files and sockets are elsewhere here: seen with the names that they are to have, and the fields that say so. */
import type { Checkpoint } from "./checkpoint.ts";
import type { FieldEdit } from "./edit.ts";
import type { Seal } from "./manifest.ts";
import { file_entry } from "./tables/files.ts";
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

/** All is the checkpoint's but the open files. */
export function withPaths(checkpoint: Checkpoint, paths: readonly MappedPath[]): Checkpoint {
  if (paths.length === 0) return checkpoint;
  let files: ReadonlyMap<number, FileEntry> | undefined;
  const to = along(paths);
  const mapped = () =>
    new Map([...checkpoint.openFiles].map(([id, file]) => [id, mappedFile(file, to)]));
  return Object.create(checkpoint, {
    openFiles: { get: () => (files ??= mapped()) },
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

/** What CRIU has to be shown of files.img for one of them. */
export const pathEdits = (
  checkpoint: Checkpoint,
  paths: readonly MappedPath[],
  path: MappedPath,
): FieldEdit[] =>
  checkpoint
    .values("files.img", file_entry)
    .flatMap((file, entry) =>
      differences(file, mappedFile(file, along(paths, path))).map((edit) => ({ entry, ...edit })),
    );

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
