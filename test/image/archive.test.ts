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

interface Made {
  name: string;
  body?: Uint8Array | string;
  /** In the header; default: the body's. GNU's binary form where it is negative. */
  size?: number;
  type?: string;
}

const padded = (body: Uint8Array) => Buffer.concat([body, Buffer.alloc(-body.length & 511)]);
const END = Buffer.alloc(1024);

/** A member as no tar would write it. */
function made({ name, body = "", size, type = "0" }: Made): Buffer {
  const bytes = Buffer.from(body as string);
  const block = Buffer.alloc(512);
  block.write(name, 0);
  if (size !== undefined && size < 0) {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(-size), 128);
  } else block.write((size ?? bytes.length).toString(8).padStart(11, "0"), 124);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  block.write(" ".repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([block, padded(bytes)]);
}

const pax = (...records: string[]) => {
  const lines = records.map((record) => {
    const length = Buffer.byteLength(record) + 2;
    const digits = String(length + String(length).length).length;
    return `${length + digits} ${record}\n`;
  });
  return made({ name: "PaxHeader", body: lines.join(""), type: "x" });
};

async function kept(...parts: Uint8Array[]) {
  const file = join(dir, "made.tar");
  writeFileSync(file, Buffer.concat(parts));
  const result = await openArchive(file);
  if (!result.ok) return result;
  const images = Object.fromEntries(
    readdirSync(result.archive.dir)
      .sort()
      .map((name) => [name, statSync(join(result.archive.dir, name)).size]),
  );
  result.archive.dispose();
  return images;
}
const refusal = async (...parts: Uint8Array[]) => (await kept(...parts)) as unknown;
const damaged = (problem: string) => ({
  ok: false,
  damaged: true,
  problem: expect.stringContaining(problem),
});

test("names that lead out of the directory are not followed", async () => {
  const names = [
    "checkpoint/../../escaped",
    "checkpoint/..",
    "checkpoint/.",
    "../checkpoint/a.img",
    "/checkpoint/b.img",
  ];
  expect(await kept(...names.map((name) => made({ name, body: "AAAA" })), END)).toEqual({});
  const nul = pax("path=checkpoint/a\0b.img");
  expect(await kept(nul, made({ name: "x", body: "A" }), END)).toEqual({});
  expect(
    await refusal(made({ name: "checkpoint/core-1.img", size: 2 ** 33 - 1 }), Buffer.alloc(512)),
  ).toEqual(damaged("larger than any image"));
});

// The header's own field has no room for more than 8 GiB: a reader that ignores the others takes page data for members.
test.each([
  ["octal", (body: Buffer) => made({ name: "checkpoint/pages-1.img", body })],
  [
    "GNU's binary",
    (body: Buffer) => made({ name: "checkpoint/pages-1.img", body, size: -body.length }),
  ],
  [
    "pax, as Go writes it",
    (body: Buffer) =>
      Buffer.concat([
        pax(`size=${body.length}`),
        made({ name: "checkpoint/pages-1.img", body, size: 0 }),
      ]),
  ],
  [
    "pax, and the field cut off",
    (body: Buffer) =>
      Buffer.concat([
        pax("mtime=1.5", `size=${body.length}`),
        made({ name: "checkpoint/pages-1.img", body, size: 8 ** 11 - 1 }),
      ]),
  ],
])("page data is nobody's members, its size written in %s", async (_, pages) => {
  const body = Buffer.concat([made({ name: "checkpoint/core-9.img", body: "forged" }), END, END]);
  const core = made({ name: "checkpoint/core-1.img", body: "core" });
  expect(await kept(pages(body), core, END)).toEqual({
    "core-1.img": 4,
    "pages-1.img": body.length,
  });
});

test("an archive has an end, and nothing behind it", async () => {
  const core = made({ name: "checkpoint/core-1.img", body: "core" });
  // Zeros of a body are none of its end.
  const zeros = made({ name: "checkpoint/mm-1.img", body: Buffer.alloc(4096) });
  const empty = made({ name: "checkpoint/ids-1.img" });
  for (const last of [core, zeros, empty]) {
    const whole = Buffer.concat([core.subarray(0, last === core ? 0 : undefined), last, END]);
    expect(await refusal(whole)).not.toHaveProperty("ok");
    for (const less of [1, 512, 513, 1024, 1025, 1024 + 300]) {
      const cut = whole.subarray(0, whole.length - less);
      expect([less, await refusal(cut)]).toEqual([less, expect.objectContaining({ ok: false })]);
    }
  }
  expect(await refusal(core, END, zeros, END)).toEqual(damaged("behind its end"));
  expect(await refusal(core, END, Buffer.alloc(3 << 20), zeros)).toEqual({ "core-1.img": 4 });
});

test("damaged headers, and what no checkpoint has", async () => {
  const core = made({ name: "checkpoint/core-1.img", body: "core" });
  const bent = Buffer.from(core);
  bent.write("2", 149);
  expect(await refusal(core, bent, END)).toEqual(damaged("header is damaged"));
  expect(await refusal(core, core, END)).toEqual(damaged("core-1.img twice"));
  for (const size of ["x", "-1", "12junk", "99999999999999999999"])
    expect(await refusal(pax(`size=${size}`), core, END)).toMatchObject({ ok: false });
  expect(await refusal(made({ name: "checkpoint/a.img", size: -(2 ** 60) }), END)).toEqual(
    damaged("larger than any file"),
  );
  for (const type of ["1", "2", "5", "6"])
    expect(await refusal(made({ name: "checkpoint/a.img", body: core, type }), END)).toEqual(
      damaged("with content"),
    );
  expect(await refusal(made({ name: "checkpoint/a.img", type: "S" }), END)).toEqual(
    damaged("no checkpoint has"),
  );
  const sparse = pax("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=checkpoint/b");
  expect(await refusal(sparse, core, END)).toEqual(damaged("no checkpoint has"));
});

test("what was packed is looked at to its end", async () => {
  const file = join(dir, "sum.tgz");
  const packed = Bun.gzipSync(readFileSync(plain));
  packed[packed.length - 5]! ^= 1; // of the CRC
  writeFileSync(file, packed);
  expect(await openArchive(file)).toMatchObject({ ok: false, damaged: true });
  for (const bytes of [
    Bun.gzipSync(readFileSync(plain)),
    Bun.zstdCompressSync(readFileSync(plain)),
  ]) {
    writeFileSync(file, bytes.subarray(0, bytes.length - 20));
    expect(await openArchive(file)).toMatchObject({ ok: false, damaged: true });
  }
});

test("nothing but a regular file is opened", async () => {
  const fifo = join(dir, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  const writer = Bun.spawn(["sh", "-c", 'exec 3>"$0"; echo opened', fifo], { stdout: "pipe" });
  const archive = isArchive(fifo);
  const result = await openArchive(fifo);
  await Bun.sleep(50);
  writer.kill();
  expect(archive).toBe(false);
  expect(result).toMatchObject({ ok: false, damaged: false });
  expect(await new Response(writer.stdout).text()).toBe("");
});
