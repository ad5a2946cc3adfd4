import { guardPages } from "../../../src/checks/kernel/guard-pages.ts";
import { withContext } from "../context.ts";
import { mapping } from "../kernel.ts";
import { expect, test } from "bun:test";

test("guard-pages: before Linux 6.13", () => {
  const run = (kernel: string, version = "4.2") =>
    withContext(mapping(1 << 16), { version, host: { kernel } }, (context) => [
      ...guardPages.run(context),
    ]);
  expect(run("6.12.41")).toMatchObject([{ task: 10 }]);
  expect(run("6.12.41", "4.1.1")).toEqual([]);
  expect(run("6.13.0-rc1")).toEqual([]);
  expect(run("unknown")).toEqual([]);
});
