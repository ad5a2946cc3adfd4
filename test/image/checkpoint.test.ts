/** Checkpoints made of bytes: what is missing, damaged or hostile is a fault with a name, never a crash. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatOf } from "../../src/image/formats.ts";
import { findMount, openCheckpoint } from "../../src/image/index.ts";
import { fixture, image } from "./fixture.ts";

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), "recriu-images-"))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function make(change: (files: Record<string, Uint8Array>) => void = () => {}): string {
  const path = join(dir, String(++count));
  mkdirSync(path);
  const files = fixture();
  change(files);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
  return path;
}

function read(path: string) {
  const opened = openCheckpoint(path);
  if (!opened.ok) throw new Error(opened.fault.problem);
  return opened.checkpoint;
}

test("a whole one has no fault", () => {
  const checkpoint = read(make());
  expect(checkpoint.readEverything()).toEqual([]);
  expect(
    checkpoint.tasks.map(({ pid, state, threads }) => [
      pid,
      state,
      threads.map((thread) => thread.tid),
    ]),
  ).toEqual([
    [10, "alive", [10, 11]],
    [12, "dead", [12]],
  ]);
  expect(checkpoint.pages()).toEqual([
    {
      file: "pages-1.img",
      expected: 8192,
      memory: 8192,
      actual: 8192,
      pagemaps: ["pagemap-10.img"],
    },
  ]);
});

describe("every image that the restore needs is missed by name", () => {
  for (const file of Object.keys(fixture())) {
    test(file, () => {
      const faults = read(make((files) => delete files[file])).readEverything();
      expect(faults).toContainEqual(
        expect.objectContaining({ file, kind: file === "fdinfo-2.img" ? "absent" : "missing" }),
      );
    });
  }
});

test("pages that are short, and pages of the parent, which count not", () => {
  const short = read(
    make((files) => (files["pages-1.img"] = files["pages-1.img"]!.subarray(0, 5000))),
  );
  expect(short.pages()[0]).toMatchObject({ expected: 8192, actual: 5000 });
  const parent = read(
    make((files) => {
      files["pagemap-10.img"] = image("pagemap-10.img", [
        { pages_id: 1 },
        { vaddr: 0n, compat_nr_pages: 1, flags: 4 },
        { vaddr: 4096n, compat_nr_pages: 9, in_parent: true },
      ]);
    }),
  );
  expect(parent.pages()[0]).toMatchObject({ expected: 4096 });
});

describe("what stands at an image's name may be anything", () => {
  test("a FIFO does not hold us, a device does not fill us, a directory is no file", () => {
    const path = make((files) => {
      delete files["files.img"];
      delete files["mm-10.img"];
      delete files["fs-10.img"];
    });
    Bun.spawnSync(["mkfifo", join(path, "files.img")]);
    symlinkSync("/dev/zero", join(path, "mm-10.img"));
    mkdirSync(join(path, "fs-10.img"));
    const faults = read(path).readEverything();
    expect(faults.map(({ file, problem }) => [file, problem]).toSorted()).toEqual([
      ["files.img", "it is no regular file"],
      ["fs-10.img", "it is no regular file"],
      ["mm-10.img", "it is no regular file"],
    ]);
  });

  test("a link to a file is followed, as CRIU does", () => {
    const path = make();
    const other = make((files) => delete files["files.img"]);
    symlinkSync(join(path, "files.img"), join(other, "files.img"));
    expect(read(other).readEverything()).toEqual([]);
  });
});

test("what old images have in images of their own is the task's all the same", () => {
  const user = { uid: 1, gid: 1, euid: 1, egid: 1, suid: 1, sgid: 1, fsuid: 1, fsgid: 1 };
  const none = { cap_inh: [], cap_eff: [], cap_bnd: [], cap_amb: [], groups: [] };
  const creds = { ...user, ...none, secbits: 0, cap_prm: [7] };
  const vma = {
    start: 0n,
    end: 4096n,
    pgoff: 0n,
    shmid: 2n,
    prot: 3,
    flags: 1,
    status: 0x81,
    fd: 0n,
  };
  const { root } = read(
    make((files) => {
      files["creds-10.img"] = image("creds-10.img", [creds]);
      files["rlimit-10.img"] = image("rlimit-10.img", [{ cur: 1n, max: 2n }]);
      files["vmas-10.img"] = image("vmas-10.img", [vma]);
    }),
  );
  expect(root!.threads.map(({ core }) => core!.thread_core!.creds!.cap_prm)).toEqual([[7], [7]]);
  expect(root!.core!.tc!.rlimits!.rlimits).toEqual([{ cur: 1n, max: 2n }]);
  expect(root!.mm!.vmas).toEqual([vma]);
});

test("an entry that claims gigabytes costs none", () => {
  const path = make((files) => {
    const claim = Buffer.from(files["files.img"]!.subarray(0, 12));
    claim.writeUInt32LE(0xfffffff0, 8);
    files["files.img"] = claim;
  });
  expect(read(path).readEverything()).toContainEqual(
    expect.objectContaining({ file: "files.img", kind: "truncated", offset: 8 }),
  );
});

test("a tree with a cycle, with one pid twice, with a thread list of a million", () => {
  const threads = Array.from({ length: 1_000_000 }, () => 11);
  const path = make((files) => {
    files["pstree.img"] = image("pstree.img", [
      { pid: 10, ppid: 10, pgid: 10, sid: 10, threads },
      { pid: 10, ppid: 12, pgid: 10, sid: 10, threads: [] },
    ]);
  });
  const checkpoint = read(path);
  checkpoint.readEverything();
  expect(checkpoint.tasks[0]!.threads).toHaveLength(2);
});

/** A small generator with a fixed seed (mulberry32): the same damage in every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test("damaged bytes anywhere never crash, and every fault names a file", () => {
  const random = randomOf(20261123);
  const path = make();
  const names = readdirSync(path).filter((name) => formatOf(name) !== undefined);
  for (let round = 0; round < 3000; round += 1) {
    const name = names[Math.floor(random() * names.length)]!;
    const whole = readFileSync(join(path, name));
    const broken = Buffer.from(whole);
    for (let hit = 0; hit <= random() * 4; hit += 1)
      broken[Math.floor(random() * broken.length)] = Math.floor(random() * 256);
    writeFileSync(join(path, name), broken);
    const checkpoint = read(path);
    for (const fault of checkpoint.readEverything()) expect(fault.file).not.toBe("");
    checkpoint.pages();
    writeFileSync(join(path, name), whole);
  }
});

test("a path is on the mount with the longest mountpoint before it", () => {
  const mount = (mnt_id: number, parent_mnt_id: number, mountpoint: string) => ({
    fstype: 0,
    mnt_id,
    root_dev: 1,
    parent_mnt_id,
    flags: 0,
    root: "/",
    mountpoint,
    source: "x",
    options: "",
  });
  const mounts = [mount(1, 0, "/"), mount(2, 1, "/tmp"), mount(3, 2, "/tmp/.X11-unix")];
  const at = (path: string, id?: number) => {
    const found = findMount(mounts, path, id);
    return [found?.mount.mnt_id, found?.path, found?.isRoot];
  };
  expect(at("/etc/passwd")).toEqual([1, "/etc/passwd", true]);
  expect(at("/tmpfile")).toEqual([1, "/tmpfile", true]);
  expect(at("/tmp")).toEqual([2, "/", false]);
  expect(at("/tmp/.X11-unix/X0")).toEqual([3, "/X0", false]);
  expect(at("/tmp/.X11-unix/X0", 2)).toEqual([2, "/.X11-unix/X0", false]);
});
