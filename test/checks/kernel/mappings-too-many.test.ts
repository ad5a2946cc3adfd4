import { mappingsTooMany } from "../../../src/checks/kernel/mappings-too-many.ts";
import { image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { GIB, host, images, type Mapping } from "./memory.ts";
import { expect, test } from "bun:test";

test("mappings-too-many: what the kernel may join is no certainty", () => {
  const adjoining = Array.from({ length: 20 }, (_, n) => ({
    start: GIB + BigInt(n) * 4096n,
    end: GIB + BigInt(n + 1) * 4096n,
  }));
  const most = host({ "/proc/sys/vm/max_map_count": "10\n" });
  const run = (mappings: Mapping[]) =>
    withContext(images(mappings), { host: most }, (c) => [...mappingsTooMany.run(c)]);
  expect(run(adjoining)).toMatchObject([{ severity: "warning" }]);
  const striped = adjoining.map((mapping, n) => ({ ...mapping, prot: n % 2 }));
  expect(run(striped)).toMatchObject([{ severity: "blocker" }]);
  expect(run(adjoining.slice(0, 10))).toEqual([]);
});

test("mappings-too-many: before CRIU 4.0 mappings that are writable for the moment are one, and stay writable", () => {
  const striped = Array.from({ length: 20 }, (_, n) => ({
    start: GIB + BigInt(n) * 4096n,
    end: GIB + BigInt(n + 1) * 4096n,
    prot: n % 2 === 0 ? 1 : 3,
  }));
  // Behind each that may only be read content begins.
  const pages = striped.filter(({ prot }) => prot === 3);
  const pagemap = image("pagemap-10.img", [
    { pages_id: 1 },
    ...pages.map(({ start }) => ({ vaddr: start, compat_nr_pages: 1, flags: 4 })),
  ]);
  const most = host({ "/proc/sys/vm/max_map_count": "10\n" });
  const by = (version: string) =>
    withContext(images(striped, { "pagemap-10.img": pagemap }), { host: most, version }, (c) => [
      ...mappingsTooMany.run(c),
    ]);
  expect(by("3.17.1")).toMatchObject([
    {
      severity: "blocker",
      message: expect.stringContaining("writable that were not"),
      criu_message: null,
    },
  ]);
  expect(by("4.1.1")).toMatchObject([
    { severity: "blocker", criu_message: "mapping with 0xfffffffffffffff4" },
  ]);
});
