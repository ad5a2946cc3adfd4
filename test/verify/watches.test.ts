/** What inotify and fanotify watch: which marks, and that each is on the file that it was on, or on what is at its path now. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFiles } from "../../src/verify/open/index.ts";
import { said, type Scene } from "./tree.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-watches-"));
afterAll(() => rmSync(dir, { recursive: true }));
const path = join(dir, "file");
writeFileSync(path, "");
/** What is at the path now, and what was watched at the dump. */
const NEW = statSync(path).ino;
const OLD = NEW + 1;
const DEVICE = 3;

interface Watched {
  entry: object;
  fdinfo: string;
  own?: boolean;
  ghost?: boolean;
}

function watched({ entry, fdinfo, own = false, ghost = false }: Watched): string[] {
  return said(openFiles, {
    saved: [{ ids: { mnt_ns_id: own ? 2 : 1 }, fds: [{ fd: 5, id: 7, flags: 0 }] }],
    now: { 10: { files: { "fdinfo/5": fdinfo } } },
    checkpoint: {
      inventory: { root_ids: { mnt_ns_id: 1 } },
      openFiles: new Map([[7, entry]]),
      remaps: ghost ? [{ remap_id: 1 }] : [],
      ghost: () => ({ dev: DEVICE, ino: BigInt(OLD) }),
    },
  } as unknown as Scene);
}

const hex = (value: number) => value.toString(16);
const inotify = (more: object = {}, at: string | undefined = path) => ({
  ify: {
    wd: [{ wd: 1, mask: 0x2, i_ino: BigInt(OLD), s_dev: DEVICE, f_handle: { path: at }, ...more }],
  },
});
const watch = (ino: number, mask = "2", wd = 1) =>
  `inotify wd:${wd} ino:${hex(ino)} sdev:3 mask:${mask} ignored_mask:0\n`;

test("file of watch: the saved one, or what is at its path now, and no other", () => {
  expect(watched({ entry: inotify(), fdinfo: watch(OLD) })).toEqual([]);
  expect(watched({ entry: inotify(), fdinfo: watch(NEW) })).toEqual([]);
  expect(watched({ entry: inotify(), fdinfo: watch(NEW + 7) })).toEqual([
    `fatal file of watch 1 of descriptor 5: 0x${hex(NEW)}, 0x${hex(NEW + 7)}`,
  ]);
  const left = ["left out: watched files that have no path here"];
  for (const entry of [inotify({ f_handle: {} }), inotify({}, join(dir, "gone"))])
    expect(watched({ entry, fdinfo: watch(NEW + 7) })).toEqual(left);
  // In a mount namespace of the tree's own the path leads elsewhere.
  expect(watched({ entry: inotify(), fdinfo: watch(NEW), own: true })).toEqual(left);
});

test("inotify: the mask, a watch that is gone or was not there; that on a deleted file is lost", () => {
  expect(watched({ entry: inotify(), fdinfo: watch(OLD, "3") })).toEqual([
    "fatal mask of watch 1 of descriptor 5: 0x2, 0x3",
  ]);
  // CRIU leaves out the flags beside the events; recriu sets them again, and it is said.
  const oneShot = inotify({ mask: 0x80000002 });
  expect(watched({ entry: oneShot, fdinfo: watch(OLD) })).toEqual([
    "tolerated mask of watch 1 of descriptor 5: 0x80000002, 0x2",
  ]);
  expect(watched({ entry: inotify(), fdinfo: "" })).toEqual([
    "fatal mask of watch 1 of descriptor 5: 0x2, undefined",
  ]);
  expect(watched({ entry: inotify(), fdinfo: "", ghost: true })).toEqual([
    "tolerated mask of watch 1 of descriptor 5: 0x2, undefined",
  ]);
  // Another file of that file system was not deleted.
  const other = inotify({ i_ino: BigInt(OLD + 5) });
  expect(watched({ entry: other, fdinfo: "", ghost: true })[0]).toStartWith(
    "fatal mask of watch 1",
  );
  expect(watched({ entry: inotify(), fdinfo: watch(OLD) + watch(OLD, "2", 2) })).toEqual([
    "fatal a watch that was not saved of descriptor 5: none, 2",
  ]);
  // What older kernels show of their own business is no event.
  expect(watched({ entry: inotify({ mask: 0x08000002 }), fdinfo: watch(OLD) })).toEqual([]);
});

const fanotify = (mark: object = {}, of: object = {}) => ({
  ffy: {
    faflags: 0x10,
    evflags: 0x8000,
    mark: [
      {
        ie: { i_ino: BigInt(OLD), f_handle: { path } },
        s_dev: DEVICE,
        mflags: 0,
        mask: 0x8,
        ignored_mask: 0,
        ...mark,
      },
    ],
    ...of,
  },
});
const marks = (...lines: string[]) => `fanotify flags:10 event-flags:8000\n${lines.join("")}`;
const onFile = (ino: number, mask = "8") =>
  `fanotify ino:${hex(ino)} sdev:3 mflags:0 mask:${mask} ignored_mask:0\n`;
const onMount = "fanotify mnt_id:17 mflags:0 mask:8 ignored_mask:0\n";

test("file of a mark, its masks, flags, and marks that were not saved", () => {
  expect(watched({ entry: fanotify(), fdinfo: marks(onFile(OLD)) })).toEqual([]);
  expect(watched({ entry: fanotify(), fdinfo: marks(onFile(NEW)) })).toEqual([]);
  expect(watched({ entry: fanotify(), fdinfo: marks(onFile(NEW + 7)) })).toEqual([
    `fatal file of a mark of descriptor 5: 0x${hex(NEW)}, 0x${hex(NEW + 7)}`,
  ]);
  expect(watched({ entry: fanotify(), fdinfo: marks(onFile(OLD, "9")) })).toEqual([
    "fatal mark on a file of descriptor 5: 0 8 0, undefined",
    "fatal a mark that was not saved of descriptor 5: none, 0 9 0",
  ]);
  expect(watched({ entry: fanotify(), fdinfo: marks(), ghost: true })).toEqual([
    "tolerated mark on a file of descriptor 5: 0 8 0, undefined",
  ]);
  for (const of of [{ faflags: 0 }, { evflags: 0 }])
    expect(watched({ entry: fanotify({}, of), fdinfo: marks(onFile(OLD)) })).toHaveLength(1);
  // The number of a mount is new.
  const mount = fanotify({ ie: undefined });
  expect(watched({ entry: mount, fdinfo: marks(onMount) })).toEqual([]);
  expect(watched({ entry: mount, fdinfo: marks(onFile(OLD)) })).toHaveLength(2);
});
