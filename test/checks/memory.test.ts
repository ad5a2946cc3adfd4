/** Rules of memory that this machine cannot be put under for a test. */
import { expect, test } from "bun:test";
import { mappingsTooMany } from "../../src/checks/kernel/mappings-too-many.ts";
import { hugepagesShort } from "../../src/checks/kernel/hugepages-short.ts";
import { memoryShort } from "../../src/checks/kernel/memory-short.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const PRIVATE = 0x2;
const ANON_PRIVATE = 0x201;
const GIB = 1n << 30n;

interface Mapping {
  start: bigint;
  end: bigint;
  prot?: number;
  flags?: number;
}

/** The fixture with these mappings in its task. */
function images(mappings: readonly Mapping[], more: Record<string, Uint8Array> = {}) {
  const whole = fixture();
  const zero = ["start_code", "end_code", "start_data", "end_data", "start_stack", "start_brk"];
  const fields = [...zero, "brk", "arg_start", "arg_end", "env_start", "env_end"];
  const vmas = mappings.map((mapping) => ({
    prot: 3,
    flags: PRIVATE | 0x20,
    ...mapping,
    pgoff: 0n,
    shmid: 0n,
    status: ANON_PRIVATE,
    fd: -1n,
  }));
  const addresses = Object.fromEntries(fields.map((field) => [`mm_${field}`, 0n]));
  const mm = { ...addresses, exe_file_id: 2, mm_saved_auxv: [], vmas, aios: [] };
  return { ...whole, "mm-10.img": image("mm-10.img", [mm]), ...more };
}

/** A host with these small files, and nothing else. */
const host = (files: Record<string, string>) => ({
  read: (path: string) => files[path],
  exists: () => false,
});

const OVERCOMMIT = "/proc/sys/vm/overcommit_memory";
const MEMINFO = "/proc/meminfo";
const plenty = "MemTotal: 8388608 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";

test("memory-short: all private memory together, under vm.overcommit_memory=2", () => {
  const three = [1n, 2n, 3n].map((n) => ({ start: n * 4n * GIB, end: n * 4n * GIB + GIB }));
  const limit = (kilobytes: number) =>
    host({ [OVERCOMMIT]: "2\n", [MEMINFO]: `${plenty}CommitLimit: ${kilobytes} kB\n` });
  const blocked = withContext(images(three), { host: limit(2 << 20) }, (c) => memoryShort.run(c));
  expect(blocked).toMatchObject([{ severity: "blocker", subject: "3072 MiB" }]);
  const enough = withContext(images(three), { host: limit(3 << 20) }, (c) => memoryShort.run(c));
  expect(enough).toEqual([]);
  // What cannot be written to is not accounted for.
  const readable = three.map((mapping) => ({ ...mapping, prot: 1 }));
  expect(withContext(images(readable), { host: limit(1) }, (c) => memoryShort.run(c))).toEqual([]);
});

test("memory-short: a mapping without reserve may be as large as it likes", () => {
  const one = { start: 4n * GIB, end: 100n * GIB };
  const heuristic = host({ [OVERCOMMIT]: "0\n", [MEMINFO]: plenty });
  const run = (mapping: Mapping) =>
    withContext(images([mapping]), { host: heuristic }, (c) => memoryShort.run(c));
  expect(run(one)).toMatchObject([{ severity: "blocker", task: 10 }]);
  expect(run({ ...one, flags: PRIVATE | 0x20 | 0x4000 })).toEqual([]);
  expect(run({ ...one, flags: 0x21 })).toEqual([]);
});

test("memory-short: more in the images than is free is a warning", () => {
  const pagemap = image("pagemap-10.img", [
    { pages_id: 1 },
    { vaddr: 0x400000n, compat_nr_pages: 1 << 20, flags: 4 },
  ]);
  const small = plenty.replace("MemAvailable: 8388608", "MemAvailable: 1024");
  const run = (meminfo: string) =>
    withContext(
      images([], { "pagemap-10.img": pagemap }),
      { host: host({ [OVERCOMMIT]: "1\n", [MEMINFO]: meminfo }) },
      (c) => memoryShort.run(c),
    );
  expect(run(small)).toMatchObject([{ severity: "warning", subject: "4096 MiB" }]);
  expect(run(plenty)).toEqual([]);
});

test("hugepages-short: those that may be had beyond the pool, and pages of another size", () => {
  const huge = { start: 4n * GIB, end: 6n * GIB, flags: PRIVATE | 0x20 | 0x40000 | (30 << 26) };
  const pool = "/sys/kernel/mm/hugepages/hugepages-1048576kB";
  const run = (counts: Record<string, number>) =>
    withContext(
      images([huge]),
      {
        host: host({
          [MEMINFO]: "Hugepagesize: 2048 kB\n",
          ...Object.fromEntries(
            Object.entries(counts).map(([name, count]) => [`${pool}/${name}`, `${count}\n`]),
          ),
        }),
      },
      (c) => hugepagesShort.run(c),
    );
  expect(run({})).toMatchObject([{ subject: "1048576 kB" }]);
  expect(run({ nr_hugepages: 4, free_hugepages: 3, resv_hugepages: 2 })).toMatchObject([
    { remedy: { command: `echo 5 > ${pool}/nr_hugepages` } },
  ]);
  expect(run({ free_hugepages: 1, nr_overcommit_hugepages: 1 })).toEqual([]);
});

test("mappings-too-many: what the kernel may join is no certainty", () => {
  const adjoining = Array.from({ length: 20 }, (_, n) => ({
    start: GIB + BigInt(n) * 4096n,
    end: GIB + BigInt(n + 1) * 4096n,
  }));
  const most = host({ "/proc/sys/vm/max_map_count": "10\n" });
  const run = (mappings: Mapping[]) =>
    withContext(images(mappings), { host: most }, (c) => mappingsTooMany.run(c));
  expect(run(adjoining)).toMatchObject([{ severity: "warning" }]);
  const striped = adjoining.map((mapping, n) => ({ ...mapping, prot: n % 2 }));
  expect(run(striped)).toMatchObject([{ severity: "blocker" }]);
  expect(run(adjoining.slice(0, 10))).toEqual([]);
});
