import { mappingsTooMany } from "../../../src/checks/kernel/mappings-too-many.ts";
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
