/**
 * What looking may cost, by the compiled program: 8 times the images' size and 64 MiB of memory at the most beyond what it
 * takes for the smallest checkpoint, and an end. Each form is small on disk and was large in memory, or took minutes.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { imagesIn, sumsOf } from "../../src/image/index.ts";
import { fixture, image } from "../image/fixture.ts";
import { close, criu, openStage, recriu, recriuBinary, run, type Stage } from "./stage.ts";
import { compile } from "./stage/compile.ts";

let stage: Stage;
beforeAll(() => {
  stage = openStage();
});
afterAll(() => close(stage));

const whole = fixture();
const MiB = 1 << 20;
const SIZE = 4 * MiB;
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(message.length);
  return Buffer.concat([length, message]);
};
const many = (unit: Buffer): Buffer => Buffer.alloc(SIZE - (SIZE % unit.length), unit);
const times = <T>(length: number, make: (at: number) => T): T[] =>
  Array.from({ length }, (_, at) => make(at));
const head = (file: string) => whole[file]!.subarray(0, 8);
const task = hex("0801 1000 1801 2001");
const pstree = (...parts: Buffer[]) => ({
  "pstree.img": Buffer.concat([head("pstree.img"), ...parts]),
});
const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const file = (at: number) => ({
  type: 1,
  id: at + 1,
  reg: {
    id: at + 1,
    flags: 0,
    pos: 0n,
    fown: noOne,
    name: `/x${at}`,
    mode: at ? 0o100644 : 0o40755,
  },
});
const forms: Record<string, () => Record<string, Uint8Array>> = {
  "the same entry": () => pstree(many(framed(task))),
  "entries in turn": () =>
    pstree(many(Buffer.concat([framed(task), framed(hex("0802 1000 1801 2001"))]))),
  "unknown fields": () => pstree(framed(Buffer.concat([task, many(hex("7801"))]))),
  threads: () => pstree(framed(Buffer.concat([task, many(hex("2801"))]))),
  "threads in one field": () =>
    pstree(framed(Buffer.concat([task, hex("2a 80808002"), many(hex("01"))]))),
  nested: () => ({ "core-10.img": Buffer.concat([head("core-10.img"), framed(many(hex("1a")))]) }),
  files: () => ({ "files.img": image("files.img", times(30_000, file)) }),
  "descriptors of missing files": () => ({
    "files.img": image("files.img", times(5000, file)),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      times(5000, (fd) => ({ id: fd + 1, flags: 0, type: 1, fd })),
    ),
  }),
  "file locks": () => ({
    "filelocks.img": image(
      "filelocks.img",
      times(100_000, (at) => ({ flag: 1, type: 1, pid: at, fd: at, start: BigInt(at), len: 1n })),
    ),
  }),
  "a long name": () => ({
    "files.img": image("files.img", [
      { type: 1, id: 1, reg: { ...file(0).reg, name: `/${"\u001b".repeat(SIZE)}` } },
    ]),
  }),
  "page maps": () => ({
    "pagemap-10.img": image("pagemap-10.img", [
      { pages_id: 1 },
      ...times(50_000, (at) => ({ vaddr: BigInt(at) * 8192n, compat_nr_pages: 1, flags: 4 })),
    ]),
  }),
};

const cgroups = (number: number) => ({
  "cgroup.img": image("cgroup.img", [
    {
      sets: times(number, (at) => ({
        id: at + 1,
        ctls: [{ name: "", path: `/of/set/${at}` }],
      })),
      controllers: [{ cnames: [""], dirs: [] }],
    },
  ]),
});
/** Each is a finding, or a fault, for every entry of an image. */
const findings: Record<string, () => Record<string, Uint8Array>> = {
  "missing files": () => ({
    "files.img": image("files.img", times(10_000, file)),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      times(10_000, (fd) => ({ id: fd + 1, flags: 0, type: 1, fd })),
    ),
  }),
  "sets of cgroups": () => cgroups(20_000),
  plugins: () => ({
    "inventory.img": image("inventory.img", [
      {
        img_version: 2,
        fdinfo_per_id: true,
        ns_per_id: true,
        root_ids: { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4 },
        plugins_entry: { plugins: times(150_000, (at) => `p${at}`) },
      },
    ]),
  }),
  "missing ghosts": () => ({
    "remap-fpath.img": image(
      "remap-fpath.img",
      times(100_000, (at) => ({ orig_id: at, remap_id: at + 1, remap_type: 1 })),
    ),
  }),
  "many page maps": () => ({
    "pagemap-10.img": image("pagemap-10.img", [
      { pages_id: 1 },
      ...times(150_000, (at) => ({ vaddr: BigInt(at) * 8192n, compat_nr_pages: 1, flags: 4 })),
    ]),
  }),
};

const commands = [
  ["show", "--json", "--all"],
  ["preflight", "--json", `--criu=${criu}`],
  ["preflight", "--effects", "--untrusted", `--criu=${criu}`],
];

/** The directory of a checkpoint of these files, and their size without page data. */
function checkpoint(
  name: string,
  files: Record<string, Uint8Array>,
): { dir: string; size: number } {
  const dir = join(stage.dir, name.replaceAll(" ", "-"));
  mkdirSync(dir);
  let size = 0;
  for (const [each, bytes] of Object.entries({ ...whole, ...files })) {
    writeFileSync(join(dir, each), bytes);
    if (!each.startsWith("pages-")) size += bytes.length;
  }
  return { dir, size };
}

/** Peak of the resident memory of a command of recriu, bytes, and its exit code. */
async function cost(words: readonly string[]): Promise<{ exit: number; peak: number }> {
  const timed = await run(stage, [compile("timed"), "--peak", recriuBinary, ...words]);
  const [exit, , peak] = timed.stdout.split(" ").map(Number);
  return { exit: exit!, peak: peak! * 1024 };
}

test("every form stays within the bound", async () => {
  // A file is missing there, too: what this machine's packages say of it is in no image.
  const small = checkpoint("small", { "files.img": image("files.img", times(3, file)) });
  const base = await Promise.all(
    commands.map(async (words) => (await cost([...words, "-D", small.dir])).peak),
  );
  for (const [name, make] of Object.entries({ ...forms, ...findings })) {
    const { dir, size } = checkpoint(name, make());
    // What thirty thousand effects take is not held to it yet.
    const held = name in findings ? commands.slice(0, 2) : commands;
    for (const [at, words] of held.entries()) {
      const { exit, peak } = await cost([...words, "-D", dir]);
      const beyond = peak - base[at]! - (8 * size + 64 * MiB);
      expect([0, 3, 6]).toContain(exit);
      expect([name, words, Math.max(0, beyond)]).toEqual([name, words, 0]);
    }
    rmSync(dir, { recursive: true });
  }
}, 300_000);

test("of very many findings the first are told, and how many there are; in JSON, too", async () => {
  const { dir } = checkpoint("findings", {
    "files.img": image("files.img", times(5000, file)),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      times(5000, (fd) => ({ id: fd + 1, flags: 0, type: 1, fd })),
    ),
  });
  const words = ["preflight", "-v", "--only=file-missing", "-D", dir];
  const { stderr } = await recriu(stage, words);
  expect(stderr.match(/^blocker\[file-missing\]: /gm)?.length).toBe(101);
  const more = Number(/^blocker\[file-missing\]: (\d+) more$/m.exec(stderr)![1]);
  const report = JSON.parse((await recriu(stage, [...words, "--json"])).stdout);
  expect(report.findings_total).toBe(100 + more);
  expect(report.findings_total).toBeGreaterThan(4000);
  expect(report.findings.length).toBe(1000);
});

test("a parent that leads back, and a manifest of another size, cost nothing", async () => {
  const { dir } = checkpoint("sealed", {});
  const manifest = {
    schema: 1,
    recriu: "",
    criu: null,
    kernel: "",
    machine: "",
    cpu: [],
    files: [],
  };
  const images = sumsOf(dir, imagesIn(dir));
  writeFileSync(join(dir, "recriu.manifest"), JSON.stringify({ ...manifest, images }));
  truncateSync(join(dir, "pstree.img"), 2 ** 40);
  const sparse = await recriu(stage, ["preflight", "-D", dir]);
  expect(sparse).toMatchObject({ exit: 6, stderr: expect.stringContaining("image-altered") });
  truncateSync(join(dir, "pstree.img"), whole["pstree.img"]!.length);
  writeFileSync(join(dir, "pstree.img"), whole["pstree.img"]!);
  symlinkSync(".", join(dir, "parent"));
  const circle = await recriu(stage, ["preflight", "-D", dir]);
  expect(circle).toMatchObject({
    exit: 6,
    stderr: expect.stringContaining("leads back to itself"),
  });
});

test("an archive of some kilobytes that unpacks to 300 MiB", async () => {
  const tar = join(stage.dir, "a.tar");
  for (const [name, code] of [
    ["checkpoint/core-1.img", 6],
    ["rootfs-diff.tar", 2], // passed over; then there is no checkpoint in it
  ] as const) {
    const dir = join(stage.dir, "bomb");
    mkdirSync(join(dir, "checkpoint"), { recursive: true });
    writeFileSync(join(dir, name), "");
    truncateSync(join(dir, name), 300 * MiB);
    const script = 'tar -C "$1" -cf - "$2" | zstd -q -1 -o "$3" -f';
    const packed = await run(stage, ["bash", "-c", script, "bash", dir, name, tar]);
    expect(packed.exit).toBe(0);
    expect(statSync(tar).size).toBeLessThan(MiB);
    const small = (await cost(["preflight", join(stage.dir, "none")])).peak;
    const { exit, peak } = await cost(["preflight", tar]);
    expect({ name, exit, beyond: Math.max(0, peak - small - 128 * MiB) }).toEqual({
      name,
      exit: code,
      beyond: 0,
    });
    rmSync(dir, { recursive: true });
  }
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain(stage.dir);
});
