/** Open descriptors, on those of this process: what each leads to, how it is open, which are one open file. */
import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FD_CLOEXEC } from "../../src/sys/linux.ts";
import { descriptors, otherDescriptors } from "../../src/verify/descriptors.ts";
import { type Now, said, type Scene } from "./tree.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-descriptors-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "file");
writeFileSync(file, "0123456789");
const { O_RDONLY, O_RDWR, O_APPEND, O_NONBLOCK, O_DIRECT } = constants;
const O_ASYNC = 0o20000;
const O_NOATIME = 0o1000000;
const O_PATH = 0x200000;

const reg = (more: object = {}) => ({
  id: 7,
  name: file,
  flags: O_RDONLY,
  pos: 0n,
  ext: false,
  ...more,
});

interface Opened {
  fds?: { fd: number; id: number; flags?: number }[];
  words?: string[];
  runs?: boolean;
  state?: "alive" | "dead" | "stopped";
  remapped?: readonly number[];
  /** Of the task as it is; what is not said is true of this process. */
  now?: Now;
  automounts?: boolean;
}

function opened(entries: Record<number, object>, fds: Opened["fds"], more: Opened = {}): string[] {
  const { words = [], runs = false, state = "alive", now = { real: true }, remapped = [] } = more;
  return said(descriptors, {
    saved: [{ state, fds: fds!.map((each) => ({ flags: FD_CLOEXEC, ...each })) }],
    now: { 10: now },
    words,
    runs,
    checkpoint: {
      openFiles: new Map(Object.entries(entries).map(([id, entry]) => [Number(id), entry])),
      remapped: new Set(remapped),
      files: new Map(more.automounts ? [["autofs-1.img", 1]] : []),
    },
  } as Scene);
}

/** A descriptor of this process for as long as `use` runs. */
function withOpen(flags: number, use: (fd: number) => void): void {
  const fd = openSync(file, flags);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

test("a file: by its path; one that is closed, or another's", () =>
  withOpen(O_RDONLY, (fd) => {
    expect(opened({ 7: { reg: reg() } }, [{ fd, id: 7 }])).toEqual([]);
    const other = { 7: { reg: reg({ name: "/etc/nothing" }) } };
    expect(opened(other, [{ fd, id: 7 }])).toEqual([
      `fatal descriptor ${fd}: /etc/nothing, ${file}`,
    ]);
    expect(opened(other, [{ fd, id: 7 }], { runs: true })[0]).toStartWith("changed descriptor");
    expect(opened({ 7: { reg: reg() } }, [{ fd: 9999, id: 7 }])).toEqual([
      `fatal descriptor 9999: ${file}, undefined`,
    ]);
    // Of the dead there is none.
    expect(opened(other, [{ fd, id: 7 }], { state: "dead" })).toEqual([]);
  }));

test("names that nobody can compare: only that it is open", () =>
  withOpen(O_RDONLY, (fd) => {
    const left = /^left out: names of deleted files/;
    for (const [entry, more] of [
      [reg({ name: "/gone" }), { remapped: [7] }],
      [reg({ name: "/theirs", ext: true }), {}],
      [reg({ name: "/tmp/#1", flags: 0o20000000 }), {}],
    ] as const) {
      expect(opened({ 7: { reg: entry } }, [{ fd, id: 7 }], more)[0]).toMatch(left);
      expect(opened({ 7: { reg: entry } }, [{ fd: 9999, id: 7 }], more)).toContain(
        "fatal descriptor 9999: open, undefined",
      );
    }
    const given = opened(
      { 7: { reg: reg({ name: "/x", flags: O_RDWR, pos: 9n }) } },
      [{ fd, id: 7 }],
      {
        words: ["--inherit-fd=fd[3]:x"],
      },
    );
    expect(given).toEqual(["left out: what --inherit-fd gives"]);
  }));

test("each flag that an open file keeps", () => {
  const flags = [O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME, O_PATH, O_RDWR, O_ASYNC];
  withOpen(O_RDONLY, (fd) => {
    for (const flag of flags) {
      const found = opened({ 7: { reg: reg({ flags: flag }) } }, [{ fd, id: 7 }]);
      expect(found).toEqual([`fatal flags of descriptor ${fd}: 0${flag.toString(8)}, 00`]);
    }
    // Those of the opening do not stay.
    for (const flag of [
      constants.O_CREAT,
      constants.O_EXCL,
      constants.O_TRUNC,
      constants.O_NOFOLLOW,
    ])
      expect(opened({ 7: { reg: reg({ flags: flag }) } }, [{ fd, id: 7 }])).toEqual([]);
  });
  withOpen(O_RDWR | O_APPEND | O_NONBLOCK, (fd) => {
    const append = O_RDWR | O_APPEND | O_NONBLOCK;
    expect(opened({ 7: { reg: reg({ flags: append }) } }, [{ fd, id: 7 }])).toEqual([]);
    expect(opened({ 7: { reg: reg({ flags: O_RDWR }) } }, [{ fd, id: 7 }])).toHaveLength(1);
  });
  // A FIFO has those of its file, a pidfd is always open for both.
  withOpen(O_RDONLY, (fd) => {
    const fifo = {
      8: { fifo: { id: 8, pipe_id: 1, regf_id: 7 } },
      7: { reg: reg({ flags: O_APPEND }) },
    };
    expect(opened(fifo, [{ fd, id: 8 }])).toEqual([`fatal flags of descriptor ${fd}: 02000, 00`]);
    expect(opened({ 8: { pidfd: { flags: 0 } } }, [{ fd, id: 8 }])[1]).toBe(
      `fatal flags of descriptor ${fd}: 02, 00`,
    );
  });
});

test("pipes of autofs: their packet mode is in no image", () => {
  const now = (flags: string) => ({
    links: { "fd/5": "pipe:[3]" },
    files: { "fdinfo/5": `pos:\t0\nflags:\t${flags}\n` },
  });
  const direct = `0${O_DIRECT.toString(8)}`;
  const entry = { 7: { pipe: { pipe_id: 1, flags: 0 } } };
  const fds = [{ fd: 5, id: 7, flags: 0 }];
  expect(opened(entry, fds, { now: now(direct) })).toHaveLength(1);
  expect(opened(entry, fds, { now: now(direct), automounts: true })).toEqual([]);
  expect(opened(entry, fds, { now: now("04000"), automounts: true })).toHaveLength(1);
});

test("the position, while nothing runs", () =>
  withOpen(O_RDONLY, (fd) => {
    readSync(fd, Buffer.alloc(4));
    const at = (pos: bigint, more: Opened = {}) =>
      opened({ 7: { reg: reg({ pos }) } }, [{ fd, id: 7 }], more);
    expect(at(4n)).toEqual([]);
    expect(at(5n)).toEqual([`fatal position of descriptor ${fd}: 5, 4`]);
    expect(at(5n, { runs: true })).toEqual(["left out: positions, as the tree runs"]);
    // One that was stopped has not moved, whatever the others do.
    expect(at(5n, { runs: true, state: "stopped" })[0]).toStartWith("changed position");
  }));

test("close-on-exec, of every descriptor", () =>
  withOpen(O_RDONLY, (fd) => {
    const entry = { 7: { reg: reg() } };
    const closes = opened(entry, [{ fd, id: 7, flags: 0 }]);
    expect(closes).toEqual([`fatal close-on-exec of descriptor ${fd}: 0, 1`]);
    const stays = { links: { "fd/5": file }, files: { "fdinfo/5": "pos:\t0\nflags:\t0100000\n" } };
    expect(opened(entry, [{ fd: 5, id: 7 }], { now: stays })).toEqual([
      "fatal close-on-exec of descriptor 5: 1, 0",
    ]);
  }));

test("which are one open file: two openings of one path are two", () =>
  withOpen(O_RDONLY, (fd) =>
    withOpen(O_RDONLY, (other) => {
      const two = [
        { fd, id: 7 },
        { fd: other, id: 7 },
      ];
      expect(opened({ 7: { reg: reg() } }, two)).toEqual([
        `fatal descriptor ${other} is descriptor ${fd} of task 10: yes, no`,
      ]);
      const one = [
        { fd, id: 7 },
        { fd, id: 7 },
      ];
      expect(opened({ 7: { reg: reg() } }, one)).toEqual([]);
    }),
  ));

test("nameless files: by their kind", () => {
  const kinds: [object, string][] = [
    [{ pipe: { flags: 0 } }, "pipe:[1]"],
    [{ isk: { flags: 0 } }, "socket:[1]"],
    [{ usk: { flags: 0 } }, "socket:[1]"],
    [{ nlsk: { flags: 0 } }, "socket:[1]"],
    [{ psk: { flags: 0 } }, "socket:[1]"],
    [{ efd: { flags: 0 } }, "anon_inode:[eventfd]"],
    [{ epfd: { flags: 0 } }, "anon_inode:[eventpoll]"],
    [{ sgfd: { flags: 0 } }, "anon_inode:[signalfd]"],
    [{ tfd: { flags: 0 } }, "anon_inode:[timerfd]"],
    [{ ify: { flags: 0 } }, "anon_inode:inotify"],
    [{ ffy: { flags: 0 } }, "anon_inode:[fanotify]"],
    [{ memfd: { flags: 0 } }, "/memfd:x (deleted)"],
    [{ bpf: { flags: 0 } }, "anon_inode:bpf-map"],
    [{ nsf: { flags: 0 } }, "net:[4026531840]"],
  ];
  const files = { "fdinfo/5": "pos:\t0\nflags:\t00\n" };
  for (const [entry] of kinds)
    for (const [other, link] of kinds) {
      const now = { files, links: { "fd/5": link } };
      const found = opened({ 7: entry }, [{ fd: 5, id: 7, flags: 0 }], { now });
      const alike = kinds.find(([each]) => each === entry)![1] === link;
      expect([Object.keys(entry), Object.keys(other), found.length]).toEqual([
        Object.keys(entry),
        Object.keys(other),
        alike ? 0 : 1,
      ]);
    }
});

test("and no others: CRIU's own are gone by then", () => {
  const others = (fds: number[] | undefined, more: object = {}) =>
    said(otherDescriptors, {
      saved: [{ fds: [{ fd: 0, id: 7, flags: 0 }], ...more }],
      now: { 10: { fds, links: { "fd/5": "/log" } } },
    } as Scene);
  expect(others([0])).toEqual([]);
  expect(others([0, 5])).toEqual(["fatal descriptor 5: none, /log"]);
  expect(others(undefined)).toEqual(["fatal descriptors: shown, undefined"]);
  expect(others([0, 5], { state: "dead" })).toEqual([]);
});
