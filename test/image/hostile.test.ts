/** Directories that somebody made to hurt, or that lost something: read without a crash, and named. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fault, openCheckpoint } from "../../src/image/index.ts";
import { findMount } from "../../src/image/mounts.ts";

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

const COMMON = 0x54564319;
const magics = {
  inventory: 0x58313116,
  pstree: 0x50273030,
  files: 0x56303138,
  core: 0x55053847,
  pagemap: 0x56084025,
};

const word = (value: number) => {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
};

/** An image: its magic words, then each message (in hexadecimal) behind its length. */
function image(words: number[], ...messages: string[]): Buffer {
  const entries = messages.map((hex) => Buffer.from(hex.replaceAll(" ", ""), "hex"));
  return Buffer.concat([
    ...words.map(word),
    ...entries.flatMap((entry) => [word(entry.length), entry]),
  ]);
}

/** A directory with an inventory of version 2 and what is given. */
function directory(files: Record<string, Buffer> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "recriu-image-"));
  made.push(dir);
  writeFileSync(join(dir, "inventory.img"), image([magics.inventory], "0802 1001"));
  for (const [name, data] of Object.entries(files)) writeFileSync(join(dir, name), data);
  return dir;
}

function read(dir: string) {
  const opened = openCheckpoint(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  return { checkpoint: opened.checkpoint, faults: opened.checkpoint.readEverything() };
}

const of = (faults: readonly Fault[], file: string) =>
  faults.filter((fault) => fault.file === file);
const tree = (...tasks: string[]) => image([COMMON, magics.pstree], ...tasks);
/** Task 1, alone, with the one thread that it is. */
const alone = "0801 1000 1801 2001 2801";

test("an image that is a FIFO, a device, a directory, or a link to one of them or to itself", () => {
  const dir = directory();
  const links: Record<string, string> = { zero: "/dev/zero", loop: "files.img", directory: "/" };
  for (const target of Object.values(links)) {
    symlinkSync(target, join(dir, "files.img"));
    expect(of(read(dir).faults, "files.img").map((fault) => fault.kind)).toEqual(["unreadable"]);
    rmSync(join(dir, "files.img"));
  }
  mkdirSync(join(dir, "files.img"));
  expect(of(read(dir).faults, "files.img").map((fault) => fault.kind)).toEqual(["unreadable"]);
  rmSync(join(dir, "files.img"), { recursive: true });
  expect(Bun.spawnSync(["mkfifo", join(dir, "files.img")]).success).toBe(true);
  expect(of(read(dir).faults, "files.img").map((fault) => fault.kind)).toEqual(["unreadable"]);
});

test("a link to a regular file is followed, one to nothing is a missing image", () => {
  const dir = directory({ elsewhere: tree(alone) });
  symlinkSync("elsewhere", join(dir, "pstree.img"));
  expect(read(dir).checkpoint.root?.pid).toBe(1);
  rmSync(join(dir, "elsewhere"));
  expect(of(read(dir).faults, "pstree.img").map((fault) => fault.kind)).toEqual(["missing"]);
});

test("a directory of nothing, and none", () => {
  const dir = directory();
  rmSync(join(dir, "inventory.img"));
  const { faults, checkpoint } = read(dir);
  expect(checkpoint.root).toBeUndefined();
  expect(of(faults, "inventory.img")).toMatchObject([
    { kind: "missing", criu_message: "Unexpected EOF on (empty-image)" },
  ]);
  expect(of(faults, "pstree.img")).toMatchObject([{ kind: "missing", criu_message: null }]);
  expect(openCheckpoint(join(dir, "nowhere"))).toMatchObject({
    ok: false,
    fault: { kind: "missing" },
  });
  writeFileSync(join(dir, "file"), "");
  expect(openCheckpoint(join(dir, "file"))).toMatchObject({
    ok: false,
    fault: { kind: "unreadable" },
  });
});

const broken: [string, Buffer, Partial<Fault>][] = [
  ["nothing", Buffer.alloc(0), { kind: "truncated", offset: 0, criu_message: "Unexpected EOF" }],
  [
    "half a magic word",
    tree(alone).subarray(0, 6),
    { kind: "truncated", offset: 4, criu_message: "Img trimmed 2/4" },
  ],
  ["no entry", tree(), { kind: "truncated", offset: 8, criu_message: null }],
  ["half a length", tree(alone).subarray(0, 10), { kind: "truncated", offset: 8 }],
  ["half an entry", tree(alone).subarray(0, -1), { kind: "truncated", offset: 8 }],
  [
    "another image",
    image([COMMON, magics.files], "0801 1001"),
    { kind: "magic", offset: 4, criu_message: "Magic doesn't match for pstree.img" },
  ],
  [
    "another first word",
    image([0x55105940, magics.pstree], alone),
    { kind: "magic", offset: 0, criu_message: "Head magic doesn't match for pstree.img" },
  ],
  [
    "a task without a session",
    tree("0801 1000 1801"),
    { kind: "malformed", criu_message: "Failed unpacking object" },
  ],
];
for (const [name, data, fault] of broken) {
  test(`pstree.img of ${name}`, () => {
    expect(of(read(directory({ "pstree.img": data })).faults, "pstree.img")).toMatchObject([fault]);
  });
}

test("images of version 1 have one magic word", () => {
  const dir = directory({
    "inventory.img": image([magics.inventory], "0801 1001"),
    "pstree.img": image([magics.pstree], alone),
  });
  expect(read(dir).checkpoint.root?.pid).toBe(1);
});

test("tasks that are each other's parents, or come twice, are read once each entry", () => {
  const entries = ["0802 1003 1802 2002", "0803 1002 1803 2003", "0803 1002 1803 2003"];
  const { checkpoint } = read(directory({ "pstree.img": tree(...entries) }));
  expect(checkpoint.tasks.map((task) => [task.pid, task.ppid])).toEqual([
    [2, 3],
    [3, 2],
    [3, 2],
  ]);
});

test("the first thread is the leader, whatever number a zombie's entry has for it", () => {
  const zombie = "1800 2000".replaceAll(" ", "");
  const core = image([COMMON, magics.core], `0801 1a10 0802 1000 ${zombie} 2800 3204 7a6f6d62`);
  const { checkpoint, faults } = read(
    directory({ "pstree.img": tree("0801 1000 1801 2001 28a0aafd55"), "core-1.img": core }),
  );
  expect(checkpoint.root?.state).toBe("dead");
  expect(checkpoint.root?.threads.map((thread) => thread.tid)).toEqual([1]);
  expect(faults.map((fault) => fault.file)).toEqual(["files.img"]);
});

test("a task that claims very many threads is given up on", () => {
  const threads = Array.from({ length: 20_000 }, (_, at) => {
    const tid = at + 20_000;
    const bytes = [0x28, (tid & 0x7f) | 0x80, ((tid >> 7) & 0x7f) | 0x80, tid >> 14];
    return Buffer.from(bytes).toString("hex");
  });
  const { faults } = read(directory({ "pstree.img": tree(alone + threads.join("")) }));
  expect(faults.length).toBeGreaterThan(1000);
  expect(faults.length).toBeLessThan(1100);
});

test("what a page map needs of its pages image", () => {
  const core = image([COMMON, magics.core], "0801 1a0f 0801 1000 1800 2000 2800 3203 6f6e65");
  // 2 pages present; 5 in the parent; 3 of an old image without flags; 4 by the 64-bit count.
  const runs = ["0800 1002 2004", "0800 1005 2001", "0800 1003", "0800 1001 2004 2804"];
  const pagemap = image([COMMON, magics.pagemap], "0807", ...runs);
  const dir = directory({
    "pstree.img": tree(alone),
    "core-1.img": core,
    "pagemap-1.img": pagemap,
  });
  const page = read(dir).checkpoint.pages()[0]!.expected / (2 + 3 + 4);
  expect(page).toBeOneOf([4096, 16384, 65536]);
  expect(of(read(dir).faults, "pages-7.img").map((fault) => fault.kind)).toEqual(["missing"]);
  writeFileSync(join(dir, "pages-7.img"), Buffer.alloc(10));
  expect(read(dir).checkpoint.pages()).toEqual([
    {
      file: "pages-7.img",
      expected: page * 9,
      memory: page * 9,
      actual: 10,
      pagemaps: ["pagemap-1.img"],
    },
  ]);
});

test("the mount of a path", () => {
  const mount = (mnt_id: number, parent_mnt_id: number, mountpoint: string) => ({
    fstype: 5,
    mnt_id,
    root_dev: 0,
    parent_mnt_id,
    flags: 0,
    root: "/",
    mountpoint,
    source: "",
    options: "",
  });
  const mounts = [
    mount(1, 0, "./"),
    mount(2, 1, "./tmp"),
    mount(3, 2, "./tmp/x"),
    mount(4, 1, "./tm"),
  ];
  expect(findMount(mounts, "/tmp/x/y")).toMatchObject({
    mount: { mnt_id: 3 },
    path: "/y",
    isRoot: false,
  });
  expect(findMount(mounts, "/tmp/xy")).toMatchObject({ mount: { mnt_id: 2 }, path: "/xy" });
  expect(findMount(mounts, "/tmp")).toMatchObject({ mount: { mnt_id: 2 }, path: "/" });
  expect(findMount(mounts, "/etc/x")).toMatchObject({
    mount: { mnt_id: 1 },
    path: "/etc/x",
    isRoot: true,
  });
  expect(findMount(mounts, "/tmp/x/y", 2)).toMatchObject({ mount: { mnt_id: 2 }, path: "/x/y" });
  expect(findMount([], "/etc")).toBeUndefined();
});
