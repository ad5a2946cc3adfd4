import { unixSocketBusy } from "../../../src/checks/sockets/unix-socket-busy.ts";
import { withContext } from "../context.ts";
import { fown, imagesWith, opts } from "../sockets.ts";
import { expect, test } from "bun:test";

test("unix-socket-busy: a name alone is a warning", () => {
  const path = "/run/recriu-none/socket";
  const name = Buffer.from(`${path}\0`);
  const usk = {
    id: 9,
    ino: 1,
    type: 1,
    state: 10,
    flags: 2,
    uflags: 0,
    backlog: 8,
    peer: 0,
    fown,
    opts,
    name,
  };
  const stat = { isSocket: () => true, isSymbolicLink: () => false, ino: 77, dev: 0xfe00 };
  const root = { look: () => ({ ok: true, stat }), real: () => path, path: "/" };
  const live = { path, type: 1, listening: true, inode: 5 };
  const file = { inode: 5, fileInode: 77, device: 254 << 20, name: "socket", type: 1 };
  const run = (boundFiles: object[] | undefined) =>
    withContext(
      imagesWith({ type: 5, usk }),
      {
        host: {
          root: () => ({ ok: true, root }) as never,
          unixSockets: [live],
          boundFiles: boundFiles as never,
          ownerOf: () => undefined,
        },
      },
      (context) => [...unixSocketBusy.run(context)].map(({ severity }) => severity),
    );
  expect(run([{ ...file, listening: true }])).toEqual(["blocker"]);
  // No unix_diag in the kernel; a file system that shows another device; another file of that name.
  expect(run(undefined)).toEqual(["warning"]);
  expect(run([{ ...file, name: path, device: 3, fileInode: 78 }])).toEqual(["warning"]);
  expect(run([{ ...file, name: path, device: 3 }])).toEqual(["blocker"]);
  expect(run([{ ...file, name: path, fileInode: 78 }])).toEqual([]);
  expect(run([])).toEqual([]);
});
