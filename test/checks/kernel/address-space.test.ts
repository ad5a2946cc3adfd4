/** Processors and kernels of other reaches than those here. */
import { expect, test } from "bun:test";
import { addressSpace } from "../../../src/checks/kernel/address-space.ts";
import { withContext } from "../context.ts";
import { host, images } from "./memory.ts";

const PAGE = 4096n;

/** The mappings that are refused, of one below each of these addresses. */
function beyond(architecture: string, files: Record<string, string>, ...ends: bigint[]): string[] {
  const mappings = ends.map((end) => ({ start: end - PAGE, end }));
  const here = { ...host(files), architecture };
  return withContext(images(mappings), { host: here }, (context) =>
    [...addressSpace.run(context)].map(({ subject }) => subject),
  );
}

test("address-space: x86-64 with four levels, and with five", () => {
  const top = (1n << 47n) - PAGE;
  const high = "0x7fffffffff000";
  expect(beyond("x64", { "/proc/cpuinfo": "flags\t: fpu\n" }, top, 1n << 51n)).toEqual([high]);
  expect(beyond("x64", { "/proc/cpuinfo": "flags\t: la57 fpu\n" }, top, 1n << 51n)).toEqual([]);
  const five = { "/proc/cpuinfo": "flags\t: la57\n" };
  expect(beyond("x64", five, 1n << 51n, 1n << 56n)).toEqual(["0xfffffffffff000"]);
});

test("address-space: arm64, by where this process has its stack", () => {
  const stackAt = (end: string) => ({
    "/proc/self/maps": `400000-401000 r-xp 00000000 00:01 2 /x\n${end.replace(/...$/, "000")}-${end} rw-p 00000000 00:00 0    [stack]\n`,
  });
  const ends = [1n << 38n, 1n << 39n, 1n << 47n, 1n << 48n, 1n << 52n] as const;
  expect(beyond("arm64", stackAt("7ff1234000"), ...ends)).toEqual(["0x7ffffffff000"]);
  expect(beyond("arm64", stackAt("7fffd5555000"), ...ends)).toEqual(["0xfffffffff000"]);
  // With 48 there may be 52.
  expect(beyond("arm64", stackAt("ffffd5555000"), ...ends)).toEqual([]);
  expect(beyond("arm64", stackAt("ffffd5555000"), ...ends, 1n << 56n)).toHaveLength(1);
  expect(beyond("arm64", {}, ...ends)).toEqual([]);
});
