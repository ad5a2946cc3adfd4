/** What is in a shadow: a link for every image, and edited copies of a few. */
import { closeSync, constants, fchmodSync, openSync, renameSync } from "node:fs";
import { writeAll } from "../sys/own-file.ts";
import { join, relative } from "../sys/path.ts";
import type { Edit } from "../checks/index.ts";
import { type Checkpoint, editedImage, openImageDirectory } from "../image/index.ts";
import { userns_entry } from "../image/tables/namespaces.ts";
import { errorText } from "../sys/errno.ts";
import { fchmod, fchown, handle } from "../sys/files.ts";
import { FIRST, link, type Shadow } from "./shadow.ts";

/** Put a checkpoint's images into its shadow, with `edits`. Returns undefined, or why not. */
export function fillShadow(
  { fd, path }: Shadow,
  checkpoint: Checkpoint,
  edits: readonly Edit[],
): string | undefined {
  const opened = openImageDirectory(checkpoint.dir);
  if (!opened.ok) return opened.fault.problem;
  const { directory } = opened;
  // Through the descriptor: whatever is put in the directory's place meanwhile is not written to.
  const inside = (name: string) => `${handle(fd)}/${name}`;
  const group = rootGroupOutside(checkpoint);
  const version = checkpoint.inventory?.img_version ?? 2;
  const images = relative(path, directory.real);
  const edited = Map.groupBy(edits, ({ file }) => file);
  const put = (name: string, at: string) => {
    const changes = edited.get(name);
    if (changes === undefined) return link(join(images, name), fd, at);
    const image = editedImage(directory, name, changes, version);
    if (!image.ok) throw new Error(image.problem);
    writeNew(inside(at), image.bytes);
  };
  try {
    for (const name of new Set([...edited.keys(), ...directory.names]))
      if (name !== FIRST) put(name, name);
    // CRIU may be at it already.
    if (directory.names.has(FIRST)) {
      put(FIRST, `${FIRST}.new`);
      renameSync(inside(`${FIRST}.new`), inside(FIRST));
    }
    const shared =
      group === undefined ? 0 : fchown(fd, process.geteuid!(), group) || fchmod(fd, 0o710);
    if (shared < 0) throw new Error(errorText(shared));
    return undefined;
  } catch (error) {
    return `the shadow of the images: ${(error as Error).message}`;
  }
}

/** Which group root's is outside the tree's own user namespace: its tasks are in it, and no more, when they open images. */
function rootGroupOutside(checkpoint: Checkpoint): number | undefined {
  const { root, inventory } = checkpoint;
  const id = root?.ids?.user_ns_id;
  if (id === undefined || id === inventory?.root_ids?.user_ns_id) return undefined;
  const [map] = checkpoint.values(`userns-${id}.img`, userns_entry);
  return map?.gid_map.find(({ first }) => first === 0)?.lower_first;
}

function writeNew(path: string, bytes: Uint8Array): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  try {
    // As CRIU's own images are: the directory's mode guards them.
    fchmodSync(fd, 0o644);
    writeAll(fd, bytes);
  } finally {
    closeSync(fd);
  }
}
