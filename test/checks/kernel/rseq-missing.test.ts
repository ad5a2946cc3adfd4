import { rseqMissing } from "../../../src/checks/kernel/rseq-missing.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { thread } from "../kernel.ts";
import { expect, test } from "bun:test";

test("rseq-missing: before Linux 4.18", () => {
  const rseq_entry = { rseq_abi_pointer: 4096n, rseq_abi_size: 32, signature: 1 };
  const images = {
    ...fixture(),
    "core-11.img": image("core-11.img", [{ mtype: 1, thread_core: { ...thread, rseq_entry } }]),
  };
  const run = (kernel: string) =>
    withContext(images, { host: { kernel } }, (context) => [...rseqMissing.run(context)]);
  expect(run("4.15.0-20-generic")).toMatchObject([{ task: 10, image: "core-11.img" }]);
  expect(run("4.18.0")).toEqual([]);
});
