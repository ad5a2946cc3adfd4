/** What inotify(7) and fanotify(7) watch: numbers and masks of the marks, and which file each is on. */
import { IN_ALL_EVENTS } from "../../sys/linux.ts";
import { type Compare, hex, type OpenFile } from "./file.ts";
import { statOf } from "../../sys/stat.ts";

/** What older kernels show of their own business (fsnotify.c). */
const FS_EVENT_ON_CHILD = 0x08000000;

const watch = /^inotify wd:([0-9a-f]+) ino:([0-9a-f]+) sdev:([0-9a-f]+) mask:([0-9a-f]+)/gm;
const mark =
  /^fanotify (ino|mnt_id):([0-9a-f]+) .*?mflags:([0-9a-f]+) mask:([0-9a-f]+) ignored_mask:([0-9a-f]+)/gm;

interface Watch {
  inode: bigint;
  /** As the kernel numbers devices: 12 bits of major, 20 of minor number. */
  device: bigint;
  mask: number;
}

/** The watches that fdinfo shows, by their numbers. */
export const watchesOf = (fdinfo: string): Map<number, Watch> =>
  new Map(
    [...fdinfo.matchAll(watch)].map(([, wd, ino, device, mask]) => [
      Number.parseInt(wd!, 16),
      {
        inode: BigInt(`0x${ino}`),
        device: BigInt(`0x${device}`),
        mask: Number.parseInt(mask!, 16),
      },
    ]),
  );

/** The mask that a program gave, without what older kernels show of their own. */
export const wantedMask = (mask: number): number => (mask & ~FS_EVENT_ON_CHILD) >>> 0;

export const inotify: Compare<"ify"> = ({ wd: saved }, file) => {
  const now = watchesOf(file.fdinfo);
  for (const { wd, mask, i_ino, s_dev, f_handle } of saved) {
    const found = now.get(wd);
    now.delete(wd);
    const wanted = wantedMask(mask);
    const lost =
      found === undefined ? isGhost(file, s_dev, i_ino) : (wanted & IN_ALL_EVENTS) === found.mask;
    const unequal = lost ? "tolerated" : undefined;
    const events = found && hex(wantedMask(found.mask));
    file.same(`mask of watch ${wd}`, hex(wanted), events, unequal);
    if (found !== undefined)
      compareInode(`file of watch ${wd}`, i_ino, f_handle, found.inode, file);
  }
  for (const wd of now.keys()) file.same("a watch that was not saved", "none", wd);
};

export const fanotify: Compare<"ffy"> = ({ faflags, evflags, mark: saved }, file) => {
  const flags = /^fanotify flags:([0-9a-f]+) event-flags:([0-9a-f]+)/m.exec(file.fdinfo);
  const found = flags === null ? undefined : `${flags[1]}, ${flags[2]}`;
  file.same("fanotify flags", `${faflags.toString(16)}, ${evflags.toString(16)}`, found);
  const now = [...file.fdinfo.matchAll(mark)].map(([, kind, on, ...masks]) => ({
    kind,
    on: BigInt(`0x${on}`),
    shown: masks.join(" "),
  }));
  for (const { ie, s_dev, mflags, mask, ignored_mask } of saved) {
    const shown = [mflags, mask, ignored_mask].map((each) => each.toString(16)).join(" ");
    const kind = ie === undefined ? "mnt_id" : "ino";
    const same = now.filter((each) => each.kind === kind && each.shown === shown);
    const match = same.find(({ on }) => on === ie?.i_ino) ?? same[0];
    if (match !== undefined) now.splice(now.indexOf(match), 1);
    const lost = match === undefined && ie !== undefined && isGhost(file, s_dev, ie.i_ino);
    const name = `mark on ${kind === "ino" ? "a file" : "a mount"}`;
    file.same(name, shown, match?.shown, lost ? "tolerated" : undefined);
    if (match !== undefined && ie !== undefined)
      compareInode("file of a mark", ie.i_ino, ie.f_handle, match.on, file);
  }
  for (const { shown } of now) file.same("a mark that was not saved", "none", shown);
};

/**
 * Whether a watched file had been deleted and is made anew. CRIU opens it by one name more than it had and takes that one
 * back at last: by then the kernel takes the file for gone, and its watches with it (dentry_unlink_inode of fs/dcache.c).
 */
function isGhost({ subject: { checkpoint } }: OpenFile, device: number, inode: bigint): boolean {
  return checkpoint.remaps.some(({ remap_id }) => {
    const ghost = checkpoint.ghost(remap_id);
    return ghost?.dev === device && ghost.ino === inode;
  });
}

/**
 * CRIU puts a watch on what is at the saved path now, which may be a new file of another number; without a path on the
 * file itself. A path in a mount namespace of the tree's own does not lead there from here.
 */
function compareInode(
  what: string,
  saved: bigint,
  { path }: { path?: string | undefined },
  found: bigint,
  file: OpenFile,
): void {
  if (saved === found) return file.same(what, hex(saved), hex(found));
  const { root, inventory } = file.subject.checkpoint;
  const here = root?.ids?.mnt_ns_id === inventory?.root_ids?.mnt_ns_id;
  const stat = path === undefined || !here ? undefined : statOf(path);
  if (stat === undefined || typeof stat === "number")
    return file.leftOut("watched files that have no path here");
  file.same(what, hex(stat.ino), hex(found));
}
