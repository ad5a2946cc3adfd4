import { memoryShort } from "../../../src/checks/kernel/memory-short.ts";
import { image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { GIB, host, images, type Mapping, MEMINFO, PRIVATE } from "./memory.ts";
import { expect, test } from "bun:test";

const OVERCOMMIT = "/proc/sys/vm/overcommit_memory";

const plenty = "MemTotal: 8388608 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";

test("memory-short: all private memory together, under vm.overcommit_memory=2", () => {
  const three = [1n, 2n, 3n].map((n) => ({ start: n * 4n * GIB, end: n * 4n * GIB + GIB }));
  const limit = (kilobytes: number) =>
    host({ [OVERCOMMIT]: "2\n", [MEMINFO]: `${plenty}CommitLimit: ${kilobytes} kB\n` });
  const blocked = withContext(images(three), { host: limit(2 << 20) }, (c) => [
    ...memoryShort.run(c),
  ]);
  expect(blocked).toMatchObject([{ severity: "blocker", subject: "3072 MiB" }]);
  const enough = withContext(images(three), { host: limit(3 << 20) }, (c) => [
    ...memoryShort.run(c),
  ]);
  expect(enough).toEqual([]);
  // What cannot be written to is not accounted for.
  const readable = three.map((mapping) => ({ ...mapping, prot: 1 }));
  expect(withContext(images(readable), { host: limit(1) }, (c) => [...memoryShort.run(c)])).toEqual(
    [],
  );
});

test("memory-short: a mapping without reserve may be as large as it likes", () => {
  const one = { start: 4n * GIB, end: 100n * GIB };
  const heuristic = host({ [OVERCOMMIT]: "0\n", [MEMINFO]: plenty });
  const run = (mapping: Mapping) =>
    withContext(images([mapping]), { host: heuristic }, (c) => [...memoryShort.run(c)]);
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
      (c) => [...memoryShort.run(c)],
    );
  expect(run(small)).toMatchObject([{ severity: "warning", subject: "4096 MiB" }]);
  expect(run(plenty)).toEqual([]);
});

test("memory-short: before CRIU 4.0 a reservation counts where content begins right behind it", () => {
  const reserved = { start: 4n * GIB, end: 100n * GIB, prot: 0 };
  const pagemap = (vaddr: bigint) =>
    image("pagemap-10.img", [{ pages_id: 1 }, { vaddr, compat_nr_pages: 1, flags: 4 }]);
  const heuristic = host({ [OVERCOMMIT]: "0\n", [MEMINFO]: plenty });
  const by = (version: string, vaddr: bigint) =>
    withContext(
      images([reserved], { "pagemap-10.img": pagemap(vaddr) }),
      { host: heuristic, version },
      (c) => [...memoryShort.run(c)],
    );
  expect(by("3.17.1", 100n * GIB)).toMatchObject([{ severity: "blocker", task: 10 }]);
  expect(by("3.17.1", 100n * GIB + 4096n)).toEqual([]);
  expect(by("4.1.1", 100n * GIB)).toEqual([]);
});
