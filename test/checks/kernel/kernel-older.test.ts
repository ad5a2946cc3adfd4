import { expect, test } from "bun:test";
import { kernelOlder } from "../../../src/checks/kernel/kernel-older.ts";
import { fixture } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";

test("kernel-older: by the first two numbers, and only where both are known", () => {
  const found = (was: string, is: string) =>
    withContext(fixture(), { host: { kernel: is }, seal: sealedWith({ kernel: was }) }, (context) =>
      [...kernelOlder.run(context)].map(({ severity, message }) => `${severity}: ${message}`),
    );
  expect(found("6.12.1-deb13", "6.1.0-37-amd64")).toEqual([
    "warning: the kernel was 6.12.1-deb13 where it was sealed; here it is 6.1.0-37-amd64",
  ]);
  expect(found("5.15.0", "4.19.3")).toHaveLength(1);
  for (const is of ["6.12.0", "6.13-rc1", "7.0.1", "unknown", ""])
    expect(found("6.12.1-deb13", is)).toEqual([]);
  expect(found("strange", "6.1.0")).toEqual([]);
});
