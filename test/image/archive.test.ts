/** Exported checkpoints: what is kept of them, and hostile ones. */
import { afterAll, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isArchive, openArchive } from "../../src/image/archive.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-archives-"));
afterAll(() => rmSync(dir, { recursive: true }));

const long = `${"x".repeat(150)}.img`;
const sub = join(dir, "checkpoint");
mkdirSync(sub);
writeFileSync(join(sub, "core-1.img"), "core");
writeFileSync(join(sub, long), "long");
writeFileSync(join(sub, "pages-1.img"), Buffer.alloc(3 << 20, 7));
writeFileSync(join(dir, "spec.dump"), "{}");
writeFileSync(join(dir, "rootfs-diff.tar"), Buffer.alloc(1000));
symlinkSync("/etc/passwd", join(sub, "inventory.img"));

const tar = (name: string, ...words: string[]): string => {
  const file = join(dir, name);
  const done = Bun.spawnSync(["tar", "-C", dir, "-cf", file, ...words]);
  if (!done.success) throw new Error(done.stderr.toString());
  return file;
};
const members = ["checkpoint", "spec.dump", "rootfs-diff.tar"];
const plain = tar("plain.tar", ...members);

for (const [name, file] of [
  ["tar", () => plain],
  ["pax", () => tar("pax.tar", "--format=pax", ...members)],
  ["with ./", () => tar("dot.tar", ...members.map((member) => `./${member}`))],
  ["gzip", () => tar("plain.tgz", "-z", ...members)],
  [
    "zstd",
    () => {
      const packed = join(dir, "plain.tar.zst");
      writeFileSync(packed, Bun.zstdCompressSync(readFileSync(plain)));
      return packed;
    },
  ],
] as const) {
  test(`${name}: images, sizes of page data, texts; links are left out`, async () => {
    const path = file();
    expect(isArchive(path)).toBe(true);
    const opened = await openArchive(path);
    if (!opened.ok) throw new Error(opened.problem);
    const { archive } = opened;
    expect(readdirSync(archive.dir).sort()).toEqual(["core-1.img", "pages-1.img", long]);
    expect(readFileSync(join(archive.dir, "core-1.img"), "utf8")).toBe("core");
    const pages = statSync(join(archive.dir, "pages-1.img"));
    expect([pages.size, pages.blocks]).toEqual([3 << 20, 0]);
    expect(statSync(archive.dir).mode & 0o777).toBe(0o700);
    expect([...archive.texts]).toEqual([["spec.dump", "{}"]]);
    archive.dispose();
    expect(() => statSync(archive.dir)).toThrow();
  });
}

test("cut short, damaged, or no archive: said, and nothing stays", async () => {
  const before = () => readdirSync(tmpdir()).filter((name) => name.startsWith("recriu-archive-"));
  const there = before();
  const cut = join(dir, "cut.tar");
  writeFileSync(cut, readFileSync(plain));
  truncateSync(cut, 1500);
  const damaged = join(dir, "damaged.tgz");
  writeFileSync(damaged, Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(600, 9)]));
  const text = join(dir, "text");
  writeFileSync(text, "no archive");
  for (const file of [cut, damaged, text, join(dir, "nowhere")]) {
    const opened = await openArchive(file);
    expect(opened.ok).toBe(false);
  }
  expect(isArchive(text)).toBe(false);
  expect(before()).toEqual(there);
});

test("names that lead out of the directory are not followed", async () => {
  const header = (name: string, size: number) => {
    const block = Buffer.alloc(512);
    block.write(name, 0);
    block.write(size.toString(8).padStart(11, "0"), 124);
    block.write("0", 156);
    block.write("ustar\u000000", 257);
    return block;
  };
  const file = join(dir, "hostile.tar");
  const body = Buffer.alloc(512, 65);
  const names = [
    "checkpoint/../../escaped",
    "checkpoint/..",
    "../checkpoint/a.img",
    "/checkpoint/b.img",
  ];
  writeFileSync(
    file,
    Buffer.concat([...names.flatMap((name) => [header(name, 4), body]), Buffer.alloc(1024)]),
  );
  const opened = await openArchive(file);
  if (!opened.ok) throw new Error(opened.problem);
  expect(readdirSync(opened.archive.dir)).toEqual([]);
  opened.archive.dispose();

  writeFileSync(file, Buffer.concat([header("checkpoint/core-1.img", 2 ** 33 - 1), body]));
  expect(await openArchive(file)).toMatchObject({ ok: false });
});
