/** What a seal says of the processor, where the images say nothing of it. */
import { expect, test } from "bun:test";
import { cpuFeatures } from "../../../src/checks/kernel/cpu-features.ts";
import { fixture } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";

test("cpu-features: a sealed checkpoint on a processor that can do less", () => {
  const read = (path: string) =>
    path === "/proc/cpuinfo" ? "processor: 0\nflags\t\t: fpu avx sse4_1\n" : undefined;
  const found = (...cpu: string[]) => {
    const seal = sealedWith({ cpu });
    const host = { read, architecture: "x64" };
    return withContext(fixture(), { host, seal }, (context) => cpuFeatures.run(context));
  };
  expect(found("fpu", "avx", "sse4_1", "something_new")).toEqual([]);
  expect(found("fpu", "avx2", "avx512f", "avx")).toMatchObject([
    {
      severity: "warning",
      image: "recriu.manifest",
      subject: "avx2 avx512f",
      message: "the processor that it was sealed on had avx2, avx512f, this one does not show it",
      criu_message: null,
    },
  ]);
  expect(found()).toEqual([]);
});

test("cpu-features: a sealed checkpoint on arm64, where CRIU compares nothing", () => {
  const read = (path: string) =>
    path === "/proc/cpuinfo" ? "processor\t: 0\nFeatures\t: fp asimd aes\n" : undefined;
  const found = (...cpu: string[]) =>
    withContext(
      fixture(),
      {
        host: { read, architecture: "arm64" },
        seal: sealedWith({ cpu }),
        options: ["--cpu-cap=ins"],
      },
      (context) => cpuFeatures.run(context),
    );
  expect(found("fp", "aes", "evtstrm", "something_new")).toEqual([]);
  expect(found("fp", "sve", "atomics")).toMatchObject([
    { severity: "warning", image: "recriu.manifest", subject: "sve atomics", criu_message: null },
  ]);
});
