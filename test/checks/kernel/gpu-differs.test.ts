import { expect, test } from "bun:test";
import { gpuDiffers } from "../../../src/checks/kernel/gpu-differs.ts";
import type { Gpu } from "../../../src/image/index.ts";
import type { Root } from "../../../src/host/index.ts";
import { fixture, image } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";
import { ids, theirs } from "../kernel.ts";

const tree = (...plugins: string[]) => ({
  ...fixture(),
  "inventory.img": image("inventory.img", [
    { img_version: 2, root_ids: { ...ids, ...theirs }, plugins_entry: { plugins } },
  ]),
});

/** No machine here has a GPU: the files are as the drivers of NVIDIA and AMD write them. */
const nvidia = (models: readonly string[], version: string): Record<string, string> => ({
  "/proc/driver/nvidia/version": `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  Wed Jan 1\nGCC version: 12.2\n`,
  ...Object.fromEntries(
    models.map((model, bus) => [
      `/proc/driver/nvidia/gpus/0000:0${bus}:00.0/information`,
      `Model: \t\t ${model}\nIRQ:   \t\t 45\nGPU UUID: \t GPU-1\n`,
    ]),
  ),
});

const amd = (...names: string[]): Record<string, string> =>
  Object.fromEntries(
    ["", ...names].flatMap((name, node) => [
      [`/sys/class/kfd/kfd/topology/nodes/${node}/gpu_id`, name === "" ? "0\n" : "17\n"],
      [`/sys/class/kfd/kfd/topology/nodes/${node}/name`, `${name}\n`],
    ]),
  );

function found(files: Record<string, string>, gpus: Gpu[] | undefined, plugins = ["cuda_plugin"]) {
  const list = (path: string) => [
    ...new Set(
      Object.keys(files).flatMap((file) =>
        file.startsWith(`${path}/`) ? file.slice(path.length + 1).split("/")[0]! : [],
      ),
    ),
  ];
  const root = { ok: true as const, root: { list } as Root };
  const host = { read: (path: string) => files[path], root: () => root };
  const seal = sealedWith(gpus ? { host: { page_size: 4096, limits: {}, gpus } } : {});
  return withContext(tree(...plugins), { host, seal }, (context) =>
    [...gpuDiffers.run(context)].map(({ severity, subject }) => `${severity}: ${subject}`),
  );
}

test("gpu-differs: fewer, others, and another driver", () => {
  const a100 = { model: "NVIDIA A100-SXM4-40GB", driver: "570.86.15" };
  const here = nvidia([a100.model, a100.model], a100.driver);
  expect(found(here, [a100, a100])).toEqual([]);
  expect(found(here, [a100, a100, a100])).toEqual([`warning: no ${a100.model} is left`]);
  expect(found(here, [{ ...a100, model: "NVIDIA H100" }])).toEqual([
    "warning: no NVIDIA H100 is left",
  ]);
  expect(found(nvidia([a100.model], "550.54"), [a100])).toEqual(["warning: no driver 570.86.15"]);
  const gfx = { model: "gfx90a", driver: null };
  expect(found(amd("gfx90a", "gfx90a"), [gfx], ["amdgpu_plugin"])).toEqual([]);
  expect(found(amd("gfx906"), [gfx], ["amdgpu_plugin"])).toEqual(["warning: no gfx90a is left"]);
});

test("gpu-differs: nothing of a tree that used none, of a machine without (gpu-missing), or where the seal does not tell", () => {
  const one = { model: "NVIDIA L4", driver: "1.2" };
  const others = nvidia(["NVIDIA T4"], "1.2");
  expect(found(others, [one], [])).toEqual([]);
  expect(found({}, [one])).toEqual([]);
  expect(found(others, undefined)).toEqual([]);
  expect(found(others, [])).toEqual([]);
  expect(found(others, [{ ...one, model: "NVIDIA T4", driver: null }])).toEqual([]);
});
