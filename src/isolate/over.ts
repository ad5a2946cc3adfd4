/**
 * Files that were taken along, each bound over the one that is at its path now (--isolate=mount), or over an empty one where
 * there was none, in a directory of the tree's own. They are copied into memory
 * that has no name and is nowhere mounted, and only in the tree's mount namespace bound from there: their sum is that of the
 * bytes that are bound, whoever can write to the place that they come from. With the tree they are gone.
 */
import { closeSync, constants as files, existsSync, fchmodSync, fchownSync } from "node:fs";
import type { PutFile } from "../checks/index.ts";
import { upward } from "../host/upward.ts";
import { fill } from "../repair/file.ts";
import { errorText } from "../sys/errno.ts";
import { createEntry, handleInRoot, linkat, memoryMount, openDirectory } from "../sys/files.ts";
import { AT_FDCWD, O_CLOEXEC, O_PATH } from "../sys/linux.ts";
import { dirname } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";
import { inodeOf } from "../sys/walk.ts";
import type { Step } from "../sys/init-program.ts";
import { MOUNT_FD, MS, SYS } from "./steps.ts";

/** A file in that memory, by its number there, and what tells it from every other. */
interface Copy {
  readonly path: string;
  /** What has to be made first, where nothing is at the path: in a directory of the tree's own. */
  readonly place: readonly Step[];
  readonly inode: string;
}

interface Copies {
  /** The memory, a mount that is nowhere; for the caller to close. */
  readonly fd: number;
  readonly files: readonly Copy[];
}

const NEW = files.O_WRONLY | files.O_CREAT | files.O_EXCL;

/** Copy them. Throws what is in the way. */
export function copiesOf(over: readonly PutFile[]): Copies {
  const fd = memoryMount();
  if (fd < 0)
    throw new Error(`no memory can be mounted for the files of the tree: ${errorText(fd)}`);
  try {
    const made = new Set<string>();
    const first = new Map<string, { nth: number; inode: string }>();
    return {
      fd,
      files: over.map((file, nth) => {
        // Names of one file, as it was sealed, are names of one copy.
        const one = file.inode && `${file.inode} ${file.sha256} ${file.mode}`;
        const twin = first.get(one ?? "");
        if (twin !== undefined && linkat(fd, String(twin.nth), String(nth)) === 0)
          return { path: file.path, place: placeSteps(file, made), inode: twin.inode };
        const copy = copyInto(fd, String(nth), file, made);
        if (one !== undefined) first.set(one, { nth, inode: copy.inode });
        return copy;
      }),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** `made`: directories that are made for one of them. */
function copyInto(dir: number, name: string, file: PutFile, made: Set<string>): Copy {
  using held = new DisposableStack();
  const source = openRegular(file.from, false);
  if (!source.ok) throw new Error(`${file.from}: ${source.problem}`);
  held.adopt(source.fd, closeSync);
  const fd = createEntry(dir, name, NEW, 0o600);
  if (fd < 0) throw new Error(`a copy of ${file.from}: ${errorText(fd)}`);
  held.adopt(fd, closeSync);
  const problem = fill(fd, source.fd, file);
  if (problem !== undefined) throw new Error(problem);
  fchownSync(fd, file.uid, file.gid);
  fchmodSync(fd, file.mode & 0o777);
  return { path: file.path, place: placeSteps(file, made), inode: inodeOf(fd) };
}

const S_IFREG = 0o100000;

/** Make the directories above a file that are missing, and an empty file to bind over. */
function placeSteps({ path, directories }: PutFile, made: Set<string>): Step[] {
  if (existsSync(path)) return [];
  const lost = [...upward(dirname(path))]
    .filter((at) => !made.has(at) && !existsSync(at))
    .toReversed();
  for (const at of lost) made.add(at);
  return [
    ...lost.flatMap((at): Step[] => {
      const known = directories.find((each) => each.path === at);
      const { mode, uid, gid } = known ?? { mode: 0o755, uid: 0, gid: 0 };
      return [
        [SYS.mkdirat, AT_FDCWD, at, 0o700],
        [SYS.fchownat, AT_FDCWD, at, uid, gid, 0],
        [SYS.fchmodat, AT_FDCWD, at, mode],
      ];
    }),
    [SYS.mknodat, AT_FDCWD, path, S_IFREG, 0],
  ];
}

/** Over /proc the memory is reached for a moment. CRIU waits meanwhile, and looks at nothing. */
const AT = "/proc";
const RESOLVE_NO_SYMLINKS = 4n;
const OPEN_TREE_CLONE = 1;
const F_EMPTY_PATH = 4;
const T_EMPTY_PATH = 0x40;

/**
 * What the init does to bind them: `memory` is its descriptor of that mount, `done` one that it tells of each by a byte.
 * It opens no others: they are 1 and 2.
 */
export function bindSteps(copies: readonly Copy[], memory: number, done: number): Step[] {
  const [place, copy] = [1, 2];
  // No link is followed: what is bound over is what the plan has shown.
  const how = Buffer.from(
    BigUint64Array.of(BigInt(O_PATH | O_CLOEXEC), 0n, RESOLVE_NO_SYMLINKS).buffer,
  );
  const flags = MS.REMOUNT | MS.BIND | MS.RDONLY | MS.NOSUID | MS.NODEV;
  return [
    [MOUNT_FD.move_mount, memory, "", AT_FDCWD, AT, F_EMPTY_PATH],
    [SYS.mount, "none", AT, "none", flags, 0],
    ...copies.flatMap(({ path, place: made }, nth): Step[] => [
      ...made,
      [MOUNT_FD.openat2, AT_FDCWD, path, how, how.length],
      [MOUNT_FD.open_tree, memory, String(nth), OPEN_TREE_CLONE | O_CLOEXEC],
      [MOUNT_FD.move_mount, copy, "", place, "", F_EMPTY_PATH | T_EMPTY_PATH],
      [SYS.close, copy],
      [SYS.close, place],
      [SYS.write, done, "b", 1],
    ]),
    [SYS.umount2, AT, MNT_DETACH],
    [SYS.write, done, "b", 1],
  ];
}

const MNT_DETACH = 2;

/** Whether each is what is at its path for the process `init`. Throws where it is not. */
export function checkBound(copies: readonly Copy[], init: number): void {
  const root = openDirectory(`/proc/${init}/root`);
  if (root < 0) throw new Error(`the root of the tree's namespace: ${errorText(root)}`);
  try {
    for (const { path, inode } of copies) {
      const fd = handleInRoot(root, path);
      const found = fd < 0 ? undefined : inodeOf(fd);
      if (fd >= 0) closeSync(fd);
      if (found !== inode) throw new Error(`${path}: it is not the file that was taken along`);
    }
  } finally {
    closeSync(root);
  }
}
