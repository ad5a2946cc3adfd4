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
import { image } from "../image/fixture.ts";
import { checkpoint, file, findings, forms, MiB, times, whole } from "./bulk.ts";
import { close, criu, openStage, recriu, recriuBinary, run, type Stage } from "./stage.ts";
import { compile } from "./stage/compile.ts";

let stage: Stage;
/** Each in a directory of its own. */
const put = (name: string, files: Record<string, Uint8Array>) => checkpoint(stage.dir, name, files);

beforeAll(() => {
  stage = openStage();
});
afterAll(() => close(stage));

type Words = (dir: string) => readonly string[];

/** On every form. */
const commands: readonly Words[] = [
  (dir) => ["show", "--json", "--all", dir],
  (dir) => ["preflight", "--json", `--criu=${criu}`, "-D", dir],
  (dir) => ["preflight", "--effects", "--untrusted", `--criu=${criu}`, "-D", dir],
];

const diff: Words = (dir) => ["diff", dir, dir];
/** One after the other, and behind all else: a manifest is read, too. */
const sealing: readonly Words[] = [
  (dir) => ["seal", "--with-files", dir],
  (dir) => ["pack", "-o", `${dir}.pack`, dir],
];

/** What else reads a checkpoint in a way of its own: on the forms that are most to it. */
const others: Readonly<Record<string, readonly Words[]>> = {
  "missing files": [(dir) => ["show", "--html", "-", dir], diff, (dir) => ["explain", dir]],
  "many page maps": [
    (dir) => ["show", "--html", "-", dir],
    (dir) => ["show", "--all", "--format=table", dir],
    (dir) => ["show", "--json", join(dir, "..")],
    (dir) => ["memory", dir],
    (dir) => ["memory", "--search=x", dir],
    (dir) => ["memory", "--dump=0:16777216", dir],
  ],
  "file locks": [(dir) => ["verify", "--pid=1", "-D", dir]],
};

/** Peak of the resident memory of a command of recriu, bytes, and its exit code. */
async function cost(words: readonly string[]): Promise<{ exit: number; peak: number }> {
  const timed = await run(stage, [compile("timed"), "--peak", recriuBinary, ...words], {
    timeout: 120_000,
  });
  const [exit, , peak] = timed.stdout.split(" ").map(Number);
  return { exit: exit!, peak: peak! * 1024 };
}

test("every form stays within the bound", async () => {
  // A file is missing there, too: what this machine's packages say of it is in no image.
  const small = put("small", { "files.img": image("files.img", times(3, file)) });
  const base = new Map<string, number>();
  const codes = new Set([0, 1, 3, 5, 6]);
  for (const [name, make] of Object.entries({ ...forms, ...findings })) {
    const { dir, size } = put(name, make());
    const held = async (words: Words) => {
      const [said, least] = [words(dir), String(words)];
      if (!base.has(least)) base.set(least, (await cost(words(small.dir))).peak);
      const { exit, peak } = await cost(said);
      const read = words === diff ? 2 * size : size;
      const beyond = peak - base.get(least)! - (8 * read + 64 * MiB);
      expect([name, said, codes.has(exit), Math.max(0, beyond)]).toEqual([name, said, true, 0]);
    };
    await Promise.all([...commands, ...(others[name] ?? [])].map(held));
    for (const words of name === "missing files" ? sealing : []) await held(words);
    rmSync(join(dir, ".."), { recursive: true });
  }
}, 600_000);

test("a manifest of many values, and the text beside an archive's images, are not taken apart", async () => {
  const { dir } = put("values", {});
  const text = `{"schema":1,"files":[${"{},".repeat(3 * MiB)}0]}`;
  const base = (await cost(["preflight", `--criu=${criu}`, "-D", dir])).peak;
  writeFileSync(join(dir, "recriu.manifest"), text);
  const { exit, peak } = await cost(["preflight", `--criu=${criu}`, "-D", dir]);
  expect([exit, Math.max(0, peak - base - 8 * text.length - 64 * MiB)]).toEqual([6, 0]);
});

test("a parent that leads back, and a manifest of another size, cost nothing", async () => {
  const { dir } = put("sealed", {});
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

/** Of 256 MiB; what a busy machine's collector leaves a while is in it. */
const LITTLE = 20 * MiB;

test("a pack takes as much memory when it is large, and hardly more than the directory in it", async () => {
  const { dir } = put("packed", {});
  const pack = join(stage.dir, "packed.tar");
  const restoring = (words: string) =>
    `RECRIU_CRIU=${criu} ${compile("timed")} --peak ${recriuBinary} restore ${words} --dry-run 2>/dev/null`;
  const peakOf = async (script: string) => {
    const { stdout } = await run(stage, ["sh", "-c", script], { timeout: 120_000 });
    return Number(stdout.split(" ")[2]) * 1024;
  };
  const base = await peakOf(restoring(`-D ${dir}`));
  const packing: number[] = [];
  for (const size of [0, 256 * MiB]) {
    writeFileSync(join(dir, "pages-1.img"), "");
    truncateSync(join(dir, "pages-1.img"), size);
    expect((await recriu(stage, ["seal", dir])).exit).toBe(0);
    const { exit, peak } = await cost(["pack", "-o", pack, dir]);
    expect(exit).toBe(0);
    packing.push(peak);
    const [read, piped] = [
      await peakOf(restoring(pack)),
      await peakOf(`cat ${pack} | ${restoring("-")}`),
    ];
    for (const each of [read, piped]) expect(Math.max(0, each - base - LITTLE)).toBe(0);
  }
  expect(Math.max(0, packing[1]! - packing[0]! - LITTLE)).toBe(0);
}, 300_000);
