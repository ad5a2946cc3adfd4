/** Exported checkpoints on the command line: how recriu ends, and what it leaves. */
import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { creds, withThread } from "../checks/bundle.ts";
import { recriuBinary } from "../restore/stage.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-exported-"));
afterAll(() => rmSync(dir, { recursive: true }));
const unpackedIn = join(dir, "tmp");
mkdirSync(unpackedIn, { mode: 0o700 });
const env = { ...process.env, TMPDIR: unpackedIn, NO_COLOR: "1" };

const file = join(dir, "checkpoint.tar");
mkdirSync(join(dir, "checkpoint"));
writeFileSync(join(dir, "checkpoint/pstree.img"), "damaged");
writeFileSync(join(dir, "checkpoint/pages-1.img"), Buffer.alloc(3000));
Bun.spawnSync(["tar", "-C", dir, "-cf", file, "checkpoint"]);
const whole = readFileSync(file);

const run = (...words: string[]) => {
  const { exitCode, stderr } = Bun.spawnSync([recriuBinary, ...words], { env, timeout: 30_000 });
  return { exit: exitCode, stderr: stderr.toString() };
};

test("one that was cut is said to be damaged by every command that reads it, and nothing stays", () => {
  writeFileSync(file, whole.subarray(0, whole.indexOf("damaged") + 512));
  for (const command of ["preflight", "show", "seal"]) {
    const { exit, stderr } = run(command, file);
    expect([command, exit, stderr]).toEqual([command, 6, expect.stringContaining(file)]);
    expect(stderr).toContain("cut short");
  }
  expect(readdirSync(unpackedIn)).toEqual([]);
  writeFileSync(file, whole);
});

test("a pipe, a directory and nothing at all are no archives, and are not waited for", () => {
  const fifo = join(dir, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  for (const command of ["preflight", "show", "seal"])
    for (const other of [fifo, join(dir, "checkpoint"), join(dir, "nowhere")]) {
      const { exit } = run(command, other);
      expect([command, other, exit]).toEqual([command, other, expect.any(Number)]);
      expect([0, 124, null]).not.toContain(exit);
    }
});

/** The header of a pages image of `size` bytes. */
function pagesOf(size: bigint): Buffer {
  const at = whole.indexOf("checkpoint/pages-1.img");
  const header = Buffer.from(whole.subarray(at, at + 512));
  header.fill(0, 124, 136)[124] = 0x80;
  header.writeBigUInt64BE(size, 128);
  header.write(" ".repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

test("page data of a plain archive is not read", () => {
  const long = join(dir, "long.tar");
  const size = 2 ** 33;
  writeFileSync(long, pagesOf(BigInt(size)));
  truncateSync(long, 512 + size);
  appendFileSync(long, Buffer.alloc(1024));
  // What a process has read counts for the one that waited for it, proc_pid_io(5).
  const script = '"$0" show "$1" 2>&1; sed -n "s/^rchar: //p" /proc/$$/io';
  const { stdout } = Bun.spawnSync(["sh", "-c", script, recriuBinary, long], { env });
  const [said, read] = stdout
    .toString()
    .trim()
    .split(/\n(?=\d+$)/);
  expect(said).toContain("inventory.img: the restore needs it");
  expect(Number(read)).toBeLessThan(size / 16);
  rmSync(long);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s: what was unpacked goes", async (signal, code) => {
  // Page data of 64 GiB, packed to 2 MiB: recriu is still unpacking it when it is told to end.
  const long = join(dir, "long.tar.zst");
  const zeros = Bun.zstdCompressSync(Buffer.alloc(1 << 26));
  const frames = Array.from({ length: 1 << 10 }, () => zeros);
  writeFileSync(long, Buffer.concat([Bun.zstdCompressSync(pagesOf(2n ** 36n)), ...frames]));
  const going = Bun.spawn([recriuBinary, "preflight", long], { env, stderr: "ignore" });
  while (readdirSync(unpackedIn).length === 0) await Bun.sleep(5);
  const [unpacked] = readdirSync(unpackedIn);
  while (readdirSync(join(unpackedIn, unpacked!)).length === 0) await Bun.sleep(5);
  going.kill(signal);
  expect(await going.exited).toBe(code);
  expect(readdirSync(unpackedIn)).toEqual([]);
});

test("SIGKILL: what was unpacked goes with the next run, but not what another one is at", async () => {
  const long = join(dir, "long.tar.zst");
  const begin = async () => {
    const before = readdirSync(unpackedIn);
    const going = Bun.spawn([recriuBinary, "preflight", long], { env, stderr: "ignore" });
    const fresh = () => readdirSync(unpackedIn).find((name) => !before.includes(name));
    while (fresh() === undefined) await Bun.sleep(5);
    while (readdirSync(join(unpackedIn, fresh()!)).length === 0) await Bun.sleep(5);
    return { going, name: fresh()! };
  };
  const killed = await begin();
  killed.going.kill("SIGKILL");
  await killed.going.exited;
  expect(readdirSync(unpackedIn)).toEqual([killed.name]);
  const other = await begin();
  expect(readdirSync(unpackedIn)).toEqual([other.name]);
  expect(run("show", file).exit).not.toBe(0);
  expect(readdirSync(unpackedIn)).toEqual([other.name]);
  other.going.kill("SIGTERM");
  await other.going.exited;
  expect(readdirSync(unpackedIn)).toEqual([]);
});

test("a namespace that the archived bundle names by its path is another's, and made anew; one of its own is the tree's", () => {
  const made = join(dir, "pod");
  mkdirSync(join(made, "checkpoint"), { recursive: true });
  for (const [name, bytes] of Object.entries(withThread({ creds })))
    writeFileSync(join(made, "checkpoint", name), bytes);
  const namespaces = [{ type: "mount" }, { type: "network", path: "/proc/1/ns/net" }];
  const spec = { root: { path: "rootfs" }, linux: { namespaces } };
  writeFileSync(join(made, "spec.dump"), JSON.stringify(spec));
  writeFileSync(join(made, "config.dump"), "{}");
  const archive = join(dir, "pod.tar");
  Bun.spawnSync(["tar", "-C", made, "-cf", archive, "."]);
  const { exit, stderr } = run("preflight", "--only=bundle-namespace", archive);
  expect([exit, stderr]).toEqual([3, expect.stringContaining("has a mnt namespace of its own")]);
  expect(stderr).not.toContain("net namespace");
});
