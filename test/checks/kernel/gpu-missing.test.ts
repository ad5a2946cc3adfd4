import { gpuMissing } from "../../../src/checks/kernel/gpu-missing.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { host, ids, theirs } from "../kernel.ts";
import { expect, test } from "bun:test";

test("gpu-missing: each thing that the plugin turns itself off without", () => {
  const images = {
    ...fixture(),
    "inventory.img": image("inventory.img", [
      {
        img_version: 2,
        root_ids: { ...ids, ...theirs },
        plugins_entry: { plugins: ["cuda_plugin"] },
      },
    ]),
  };
  const run = (files: Record<string, string>, program: string | undefined) =>
    withContext(images, { host: { ...host(files), program: () => program } }, (context) => [
      ...gpuMissing.run(context),
    ]);
  expect(run({}, undefined)).toMatchObject([
    { severity: "warning", subject: "/proc/driver/nvidia/gpus" },
    { subject: "cuda-checkpoint" },
  ]);
  expect(run({ "/proc/driver/nvidia/gpus": "" }, "/usr/bin/cuda-checkpoint")).toEqual([]);
});
