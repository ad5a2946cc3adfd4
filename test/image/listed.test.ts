/** A name that was listed as a regular file, and is something else when it is read. */
import { expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImageDirectory } from "../../src/image/directory.ts";

/** What is read of an image in whose place `swap` has put something else since its directory was listed. */
function readOnce(dir: string, swap: (image: string) => void): string {
  const image = join(dir, "core-1.img");
  writeFileSync(image, "first");
  const opened = openImageDirectory(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  rmSync(image);
  swap(image);
  const read = opened.directory.read("core-1.img", (source) =>
    Buffer.from(source.read(0, source.size)).toString(),
  );
  rmSync(image, { recursive: true });
  return read.ok ? read.value : read.fault.problem;
}

/** A process that waits for a reader of a FIFO, and ends as soon as there was one. */
async function writerOf(fifo: string) {
  const writer = Bun.spawn(["sh", "-c", 'exec 3>"$1"', "sh", fifo]);
  const openat = process.arch === "x64" ? "257 " : "56 ";
  const isWaiting = () =>
    writer.exitCode !== null ||
    (readFileSync(`/proc/${writer.pid}/syscall`, "utf8").startsWith(openat) &&
      readFileSync(`/proc/${writer.pid}/stat`, "utf8").includes(") S "));
  while (!isWaiting()) await Bun.sleep(1);
  return writer;
}

test("it is read when it is a file or leads to one, and anything else is neither waited for nor opened", async () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-listed-"));
  const [images, other, fifo] = ["images", "other", "fifo"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(images);
  writeFileSync(other, "another");
  expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
  const writer = await writerOf(fifo);
  try {
    const nothing = expect.stringContaining("it is no regular file");
    expect(readOnce(images, (image) => writeFileSync(image, "second"))).toBe("second");
    expect(readOnce(images, (image) => symlinkSync(other, image))).toBe("another");
    expect(readOnce(images, (image) => symlinkSync("core-1.img", image))).toContain("symbolic");
    expect(readOnce(images, (image) => mkdirSync(image))).toEqual(nothing);
    expect(readOnce(images, (image) => void Bun.spawnSync(["mkfifo", image]))).toEqual(nothing);
    // Nothing is taken out of one that has something in it.
    let full = 0;
    const filled = (image: string): void => {
      Bun.spawnSync(["mkfifo", image]);
      full = openSync(image, constants.O_RDWR);
      writeSync(full, "from the FIFO");
    };
    expect(readOnce(images, filled)).toEqual(nothing);
    expect(readSync(full, Buffer.alloc(64))).toBe("from the FIFO".length);
    closeSync(full);
    // Somebody else's, to which whoever owns the images has led us.
    expect(readOnce(images, (image) => symlinkSync(fifo, image))).toEqual(nothing);
    expect(await Promise.race([writer.exited, Bun.sleep(200)])).toBeUndefined();
  } finally {
    writer.kill();
    await writer.exited;
    rmSync(dir, { recursive: true });
  }
});

test("its size is that of the last reading, and an image of any size is read whole", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-listed-"));
  using _ = { [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
  const image = join(dir, "core-1.img");
  writeFileSync(image, "");
  const opened = openImageDirectory(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const { directory } = opened;
  for (const size of [10, 4095, 4096, 4097, 0, 10_000, 1]) {
    writeFileSync(image, "x".repeat(size));
    const read = directory.read("core-1.img", (source) => source.read(0, source.size).length);
    expect([size, read, directory.size("core-1.img")]).toEqual([
      size,
      { ok: true, value: size },
      size,
    ]);
  }
});

test("two directories that are read by turns have each its own images, and one handle is kept for all", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-listed-"));
  using _ = { [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
  const opened = ["first", "second", "third"].map((name) => {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, "core-1.img"), name);
    return name;
  });
  const handles = () => readdirSync("/proc/self/fd").length;
  const open = (name: string) => {
    const result = openImageDirectory(join(dir, name));
    if (!result.ok) throw new Error(result.fault.problem);
    return result.directory;
  };
  open("first");
  const before = handles();
  const directories = opened.map(open);
  for (const _turn of [1, 2])
    for (const [at, directory] of directories.entries())
      expect(
        directory.read("core-1.img", (source) => Buffer.from(source.read(0, 9)).toString()),
      ).toEqual({ ok: true, value: opened[at]! });
  expect(handles()).toBe(before);
});
