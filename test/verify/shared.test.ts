/** What a task shares with others: namespaces, cgroups, mounts, locks, terminals. */
import { expect, test } from "bun:test";
import { closeSync, openSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FL_FLOCK, FL_LEASE, FL_OFD, FL_POSIX, LEASE_BREAKING } from "../../src/image/index.ts";
import { cgroups } from "../../src/verify/cgroups.ts";
import { locks } from "../../src/verify/locks.ts";
import { mounts } from "../../src/verify/mounts.ts";
import { namespaces } from "../../src/verify/namespaces.ts";
import { type Now, said, type Saved, type Scene } from "./tree.ts";

test("cgroups of every thread in every hierarchy, but of those that were CRIU's own", () => {
  const ctls = [
    { name: "", path: "/a:b" },
    { name: "cpu", path: "/c" },
  ];
  const checkpoint = { cgroup: { sets: [{ id: 2, ctls }] }, inventory: { root_cg_set: 1 } };
  const text = (unified: string, cpu: string) => `1:cpu,cpuacct:${cpu}\n0::${unified}\n`;
  const placed = (
    file: string | undefined,
    words: string[] = [],
    core: object = { thread_core: { cg_set: 2 } },
  ) =>
    said(cgroups, {
      saved: [{ threads: [{ tid: 10, core }] }],
      now: {
        10: { threads: [[10, 510]], files: file === undefined ? {} : { "task/510/cgroup": file } },
      },
      words,
      checkpoint,
    } as Scene);
  expect(placed(text("/a:b", "/c"))).toEqual([]);
  expect(placed(text("/", "/c"))).toEqual(["fatal cgroup2 of thread 10: /a:b, /"]);
  expect(placed(text("/a:b", "/d"))).toEqual(["fatal cpu of thread 10: /c, /d"]);
  expect(placed(undefined)).toHaveLength(2);
  for (const word of ["--manage-cgroups=ignore", "--cgroup-root=/x"])
    expect(placed(text("/", "/c"), [word])).toEqual(["expected cgroup2 of thread 10: /a:b, /"]);
  expect(placed(text("/", "/c"), ["--manage-cgroups=soft"])[0]).toStartWith("fatal");
  expect(placed(text("/", "/c"), [], { tc: { cg_set: 2 } })[0]).toStartWith("fatal");
  expect(placed(text("/", "/c"), [], { thread_core: { cg_set: 1 } })).toEqual([]);
});

test("namespaces: whose each is, and that no other's is its own", () => {
  const here = readlinkSync("/proc/self/ns/uts");
  const outside = { root_ids: { uts_ns_id: 1 } };
  const inside = (uts: (number | undefined)[], now: string[], words: string[] = []) =>
    said(namespaces, {
      saved: uts.map((id, at): Saved => ({ pid: 10 + at, ids: { uts_ns_id: id } })),
      now: Object.fromEntries(
        now.map((link, at): [number, Now] => [10 + at, { links: { "ns/uts": link } }]),
      ),
      words,
      checkpoint: { inventory: outside },
    } as Scene);
  expect(inside([1, 2, 2], [here, "uts:[5]", "uts:[5]"])).toEqual([]);
  expect(inside([1], ["uts:[5]"])).toEqual(["fatal uts namespace: that of criu, another"]);
  expect(inside([2], [here])).toEqual(["fatal uts namespace: its own, one of others"]);
  expect(inside([2, 2], ["uts:[5]", "uts:[6]"])).toEqual([
    "fatal uts namespace of 11: that of 10, another",
  ]);
  expect(inside([2, 3], ["uts:[5]", "uts:[5]"])).toEqual([
    "fatal uts namespace of 11: its own, one of others",
  ]);
  for (const word of ["--join-ns=uts:/proc/1/ns/uts", "--inherit-fd=fd[3]:x"])
    expect(inside([2], [here], [word])).toEqual([
      "left out: namespaces, as --join-ns or --inherit-fd asks",
    ]);
});

const mount = (at: string, more: object = {}) => ({ mountpoint: at, flags: 0, ...more });
const row = (at: string, options: string, optional = "") =>
  `22 1 0:5 / ${at} ${options} ${optional}- tmpfs tmpfs rw`;

test("mounts of a namespace of the tree's own: places, flags, sharing, and no others", () => {
  const seen = (
    entries: object[],
    lines: string[] | undefined,
    { runs = false, root = "/" } = {},
  ) =>
    said(mounts, {
      saved: [{ ids: { mnt_ns_id: 4 }, fs: { root_id: 1 } }],
      now: { 10: { files: lines === undefined ? {} : { mountinfo: lines.join("\n") } } },
      checkpoint: {
        openFiles: new Map([[1, { reg: { name: root } }]]),
        mounts: (id: number) => (id === 4 ? entries : []),
      },
      runs,
    } as unknown as Scene);
  const saved = [mount("/"), mount("/a b", { flags: 0x3, shared_id: 7 })];
  const there = [row("/", "rw"), row("/a\\040b", "ro,nosuid", "shared:7 ")];
  expect(seen(saved, there)).toEqual([]);
  expect(seen(saved, there.slice(0, 1))).toEqual([
    "fatal mount at /a b: ro nosuid shared, undefined",
  ]);
  expect(seen(saved, [...there, row("/c", "rw")])).toEqual(["fatal mount at /c: none, rw"]);
  expect(seen(saved, [...there, row("/c", "rw")], { runs: true })).toEqual([
    "changed mount at /c: none, rw",
  ]);
  for (const [options, optional] of [
    ["rw,nosuid", "shared:7 "],
    ["ro", "shared:7 "],
    ["ro,nosuid", ""],
    ["ro,nosuid", "shared:7 master:8 "],
    ["ro,nosuid", "shared:7 unbindable "],
  ] as const)
    expect(seen(saved, [row("/", "rw"), row("/a\\040b", options, optional)])[0]).toStartWith(
      "tolerated mount at /a b",
    );
  // Two at one place, in any order.
  const two = [mount("/"), mount("/x", { flags: 1 }), mount("/x")];
  expect(seen(two, [row("/", "rw"), row("/x", "rw"), row("/x", "ro")])).toEqual([]);
  expect(seen(two, [row("/", "rw"), row("/x", "ro")])).toHaveLength(1);
  expect(seen(saved, undefined)).toEqual(["left out: mounts of a namespace that cannot be read"]);
  // One with a root of its own sees only what is below it.
  expect(seen(saved, [], { root: "/srv" })).toEqual([]);
});

test("file locks and leases: that each is held, its type and range, and that one is broken", () => {
  const held = (lock: object, fdinfo: string, words = ["--file-locks"]) =>
    said(locks, {
      now: { 10: { files: { "fdinfo/3": fdinfo } } },
      words,
      checkpoint: { fileLocks: [{ pid: 10, fd: 3, start: 0n, len: 0n, ...lock }] },
    } as Scene);
  const line = (kind: string, access: string, range = "0 EOF", state = "ADVISORY ") =>
    `pos:\t0\nlock:\t1: ${kind}  ${state} ${access} 123 fe:00:456 ${range}\n`;
  for (const [flag, kind] of [
    [FL_POSIX, "POSIX"],
    [FL_FLOCK, "FLOCK"],
    [FL_OFD, "OFDLCK"],
  ] as const) {
    expect(held({ flag, type: 1 }, line(kind, "WRITE"))).toEqual([]);
    expect(held({ flag, type: 1 }, line(kind, "READ"))).toEqual([
      `fatal lock ${kind} WRITE 0 EOF of descriptor 3: held, undefined`,
    ]);
    expect(held({ flag, type: 1 }, "pos:\t0\n")).toHaveLength(1);
  }
  const range = { flag: FL_POSIX, type: 0, start: 5n, len: 3n };
  expect(held(range, line("POSIX", "READ", "5 7"))).toEqual([]);
  for (const other of ["5 8", "4 7", "5 EOF"])
    expect(held(range, line("POSIX", "READ", other))).toHaveLength(1);
  const lease = { flag: FL_LEASE, type: 1 };
  expect(held(lease, line("LEASE", "WRITE", "0 EOF", "ACTIVE   "))).toEqual([]);
  expect(held(lease, line("LEASE", "WRITE", "0 EOF", "BREAKING "))).toHaveLength(1);
  expect(
    held(
      { flag: FL_LEASE, type: 1 | LEASE_BREAKING },
      line("LEASE", "WRITE", "0 EOF", "BREAKING "),
    ),
  ).toEqual([]);
  expect(held({ flag: FL_POSIX, type: 1 }, "", [])).toEqual([
    "expected lock POSIX WRITE 0 EOF of descriptor 3: held, undefined",
  ]);
  expect(held({ flag: 4096, type: 1 }, "")).toEqual(["left out: of a kind that is not known"]);
});

test("a POSIX lock of a mapped file, which CRIU loses: tolerated while nobody else has it", async () => {
  const file = join(tmpdir(), `recriu-locks-${process.pid}`);
  writeFileSync(file, "");
  const fd = openSync(file, "r+");
  const lost = () =>
    said(locks, {
      saved: [{ mm: { vmas: [{ status: 0x40, shmid: 7n }] }, fds: [{ fd, id: 7 }] }],
      now: { 10: {} },
      words: ["--file-locks"],
      checkpoint: {
        openFiles: new Map([[7, { reg: { name: file } }]]),
        fileLocks: [{ pid: 10, fd, flag: FL_POSIX, type: 1, start: 0n, len: 0n }],
      },
    } as unknown as Scene);
  try {
    expect(lost()[0]).toStartWith("tolerated lock POSIX");
    const holder = Bun.spawn(["flock", "--no-fork", file, "sh", "-c", "echo; exec sleep 60"], {
      stdout: "pipe",
    });
    await holder.stdout.getReader().read();
    expect(lost()[0]).toStartWith("fatal lock POSIX");
    holder.kill("SIGKILL");
    await holder.exited;
  } finally {
    closeSync(fd);
    rmSync(file);
  }
});
