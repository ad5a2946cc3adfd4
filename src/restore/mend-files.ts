/** What CRIU leaves out of open files and can be added from outside, through a copy of the descriptor. */
import { O_PATH } from "../sys/linux.ts";
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import type { Checkpoint, FileEntry } from "../image/index.ts";
import { borrow, ioctlRead, ioctlSet } from "../sys/descriptors.ts";
import { fchown } from "../sys/files.ts";
import { watch } from "../sys/open-files.ts";
import {
  type Difference,
  fieldOf,
  fromHex,
  GIVEN_BY_CRIU,
  type LiveTask,
  type LiveTree,
  ownUsers,
  TIOCGEXCL,
  wantedMask,
  watchesOf,
} from "../verify/index.ts";

const TIOCEXCL = 0x540c;
/** The largest number that an eventfd holds: to add beyond it would wait for ever. */
const MOST = 0xfffffffffffffffen;

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

type Mended = Omit<Difference, "facet" | "task" | "class">;

export function mendFiles(checkpoint: Checkpoint, { tasks }: LiveTree): Difference[] {
  const seen = new Set<number>();
  return [...tasks.values()].flatMap((live) =>
    live.task.fds.flatMap(({ id, fd }) => {
      const file = checkpoint.openFiles.get(id);
      if (file === undefined || seen.has(id)) return [];
      seen.add(id);
      const done = [
        ...mendCounter(file, live, fd),
        ...mendWatches(checkpoint, file, live, fd),
        ...mendExclusive(checkpoint, file, live, fd),
        ...mendOwner(checkpoint, file, live, fd),
      ];
      return done.map((each): Difference => ({
        ...each,
        facet: "open files",
        task: live.task.pid,
        class: "mended",
      }));
    }),
  );
}

/** The upper half of a counter. */
function mendCounter({ efd }: FileEntry, { pid, proc }: LiveTask, fd: number): Mended[] {
  if (efd === undefined || efd.counter <= GIVEN_BY_CRIU || efd.counter > MOST) return [];
  const now = fromHex(fieldOf(proc.read(`fdinfo/${fd}`) ?? "", "eventfd-count"));
  if (now !== (efd.counter & GIVEN_BY_CRIU)) return [];
  const rest = Buffer.alloc(8);
  rest.writeBigUInt64LE(efd.counter - now);
  if (borrow(pid, fd, (copy) => writeSync(copy, rest)) !== rest.length) return [];
  return [{ expected: `counter of descriptor ${fd}: ${efd.counter}`, found: String(now) }];
}

/** Flags of a watch beside its events (IN_ONESHOT, IN_EXCL_UNLINK), when its file is at the path that was saved. */
function mendWatches(
  { root, inventory }: Checkpoint,
  { ify }: FileEntry,
  { pid, proc }: LiveTask,
  fd: number,
): Mended[] {
  // In a mount namespace of its own a path leads elsewhere.
  if (ify === undefined || root?.ids?.mnt_ns_id !== inventory?.root_ids?.mnt_ns_id) return [];
  const now = watchesOf(proc.read(`fdinfo/${fd}`) ?? "");
  return ify.wd.flatMap(({ wd, mask, f_handle: { path } }): Mended[] => {
    const found = now.get(wd);
    const wanted = wantedMask(mask);
    if (path === undefined || found === undefined || found.mask === wanted) return [];
    const number = borrow(pid, fd, (copy) => watchAgain(copy, path, found, wanted));
    if (number !== wd) return [];
    return [
      {
        expected: `mask of watch ${wd} of descriptor ${fd}: ${hex(wanted)}`,
        found: hex(found.mask),
      },
    ];
  });
}

/** A terminal that no other process may open (TIOCEXCL): CRIU saves that, and does not restore it. */
function mendExclusive(
  { ttys }: Checkpoint,
  { tty }: FileEntry,
  { pid }: LiveTask,
  fd: number,
): Mended[] {
  if (tty === undefined || !ttys.some(({ id, exclusive }) => id === tty.tty_info_id && exclusive))
    return [];
  const set = borrow(pid, fd, (copy) => {
    const shared = ioctlRead(copy, TIOCGEXCL, 4)?.readInt32LE(0) === 0;
    return shared && ioctlSet(copy, TIOCEXCL) === 0;
  });
  return set ? [{ expected: `TIOCEXCL of the terminal at descriptor ${fd}: 1`, found: "0" }] : [];
}

/** The owner of a pipe or a socket of the network, which CRIU restores from 4.3 on. */
function mendOwner(
  checkpoint: Checkpoint,
  { pipe, isk }: FileEntry,
  { pid }: LiveTask,
  fd: number,
): Mended[] {
  const uid = pipe?.uid ?? isk?.uid;
  if (uid === undefined || !ownUsers(checkpoint)) return [];
  const shown = (user: number, group: number) => (pipe ? `${user}:${group}` : `${user}`);
  const done = borrow(pid, fd, (copy) => {
    const before = fstatSync(copy);
    const gid = pipe?.gid ?? before.gid;
    if ((before.uid === uid && before.gid === gid) || fchown(copy, uid, gid) < 0) return undefined;
    return { expected: shown(uid, gid), found: shown(before.uid, before.gid) };
  });
  if (done === undefined) return [];
  const what = `owner of the ${pipe ? "pipe" : "socket"} at descriptor ${fd}`;
  return [{ ...done, expected: `${what}: ${done.expected}` }];
}

/** The watch's number; undefined when another file is at the path: a watch of that must not be made. */
function watchAgain(
  copy: number,
  path: string,
  { inode, device }: { inode: bigint; device: bigint },
  mask: number,
): number | undefined {
  let file: number;
  try {
    file = openSync(path, O_PATH | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { dev, ino } = fstatSync(file, { bigint: true });
    return ino === inode && ofKernel(dev) === device ? watch(copy, file, mask) : undefined;
  } finally {
    closeSync(file);
  }
}

/** stat(2) numbers devices otherwise than the kernel does: makedev(3). */
function ofKernel(dev: bigint): bigint {
  const major = (dev >> 8n) & 0xfffn;
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  return (major << 20n) | minor;
}
