/** Machine code in the programs: each begins with what is assembled for its machine, and asks with its machine's program. */
import { beforeAll, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../scripts/release/about.ts";
import { segmentsOf } from "../../src/host/elf.ts";
import { type Released, released } from "./released.ts";

let release: Released;
beforeAll(async () => {
  release = await released();
}, 240_000);

function assembled(...words: string[]): Buffer {
  const made = Bun.spawnSync([join(repository, "scripts/assemble"), ...words]);
  expect(made.stderr.toString()).toBe("");
  expect(made.stdout.length).toBeGreaterThan(100);
  return made.stdout;
}

function entryOf(program: string): bigint {
  const fd = openSync(program, "r");
  const head = Buffer.alloc(64);
  readSync(fd, head);
  closeSync(fd);
  return head.readBigUInt64LE(24);
}

/** Of the symbols that the loader looks up. */
function environOf(program: string): string {
  const symbols = Bun.spawnSync(["readelf", "-W", "--dyn-syms", program]).stdout.toString();
  const line = symbols.split("\n").find((each) => / environ(@|$)/.test(each));
  return `0x${line!.trim().split(/\s+/)[1]}`;
}

test.each([
  ["x64", "linux-x64"],
  ["arm64", "linux-aarch64"],
  ["x64-musl", "linux-x64-musl"],
  ["arm64-musl", "linux-aarch64-musl"],
])("%s", (target, bun) => {
  const source = `${target.replace("-musl", "")}.S`;
  const program = join(release.unpacked(target), "recriu");
  const start = entryOf(join(repository, ".cache/bun", Bun.version, bun));
  const stub = assembled(
    join(repository, "scripts/entry", source),
    "--defsym",
    `bun=${start}`,
    "--defsym",
    `environ=${environOf(program)}`,
  );

  const fd = openSync(program, "r");
  const entry = Number(entryOf(program));
  const segment = segmentsOf(fd)!.find(({ address }) => address === entry)!;
  closeSync(fd);
  const bytes = readFileSync(program);
  expect(bytes.subarray(segment.offset, segment.offset + segment.fileSize).equals(stub)).toBe(true);
  for (const other of ["x64.S", "arm64.S"]) {
    const asking = assembled(join(repository, "src/sys/asking-program", other)).toString("base64");
    expect([other, bytes.includes(asking)]).toEqual([other, other === source]);
  }
});
