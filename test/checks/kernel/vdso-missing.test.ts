import { vdsoMissing } from "../../../src/checks/kernel/vdso-missing.ts";
import { withContext } from "../context.ts";
import { host, mapping } from "../kernel.ts";
import { expect, test } from "bun:test";

test("vdso-missing: a kernel started with vdso=0", () => {
  const run = (status: number, maps: string) =>
    withContext(mapping(status), { host: host({ "/proc/self/maps": maps }) }, (context) => [
      ...vdsoMissing.run(context),
    ]);
  expect(run(1 << 3, "7f00-7f01 r-xp 0 0:0 0 [stack]\n")).toMatchObject([
    { severity: "blocker", task: 10 },
  ]);
  expect(run(1 << 3, "7f00-7f01 r-xp 0 0:0 0 [vdso]\n")).toEqual([]);
  expect(run(1, "")).toEqual([]);
});
