/** The open files of a kind. Most checks are about one of them, and a tree can have any number of the others. */
import type { Checkpoint } from "./checkpoint.ts";
import { oncePer } from "./once.ts";
import type { FileEntry } from "./types.ts";

/** The fields of an entry of files.img that say what kind of file it is, and hold what was saved of it. */
export type FileKind = Exclude<keyof FileEntry, "id" | "type">;

type With<K extends FileKind> = FileEntry & { readonly [N in K]-?: NonNullable<FileEntry[N]> };

const byKind = oncePer((openFiles: Checkpoint["openFiles"]) => {
  const found = new Map<string, FileEntry[]>();
  for (const file of openFiles.values())
    for (const kind in file) {
      if (typeof file[kind as FileKind] !== "object") continue;
      const others = found.get(kind);
      if (others === undefined) found.set(kind, [file]);
      else others.push(file);
    }
  return found;
});

/** Those open files that have `kind`, in the order of files.img. */
export const filesWith = <K extends FileKind>(
  { openFiles }: Pick<Checkpoint, "openFiles">,
  kind: K,
): readonly With<K>[] => (byKind(openFiles).get(kind) ?? []) as unknown as readonly With<K>[];
