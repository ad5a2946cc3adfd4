import { hugepagesShort } from "../../../src/checks/kernel/hugepages-short.ts";
import { withContext } from "../context.ts";
import { GIB, host, images, MEMINFO, PRIVATE } from "./memory.ts";
import { expect, test } from "bun:test";

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
      (c) => [...hugepagesShort.run(c)],
    );
  expect(run({})).toMatchObject([{ subject: "1048576 kB" }]);
  expect(run({ nr_hugepages: 4, free_hugepages: 3, resv_hugepages: 2 })).toMatchObject([
    { remedy: { command: `echo 5 > ${pool}/nr_hugepages` } },
  ]);
  expect(run({ free_hugepages: 1, nr_overcommit_hugepages: 1 })).toEqual([]);
});
