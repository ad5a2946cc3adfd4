import { MANIFEST } from "../../image/index.ts";
import type { Gpu } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { gpusOf } from "./machine.ts";

export const gpuDiffers: Check = {
  title: "The GPUs here are not those that it was sealed beside",
  reads:
    "plugins_entry in inventory.img, recriu.manifest; /proc/driver/nvidia, /sys/class/kfd/kfd/topology, /sys/module/amdgpu/version",
  why:
    "What was on a GPU is put back by the driver's own tools (cuda-checkpoint, CRIU's plugin for amdgpu), onto as many GPUs of the same kind and, for CUDA, by a driver that " +
    "understands what the other has written. Of a tree that used none, and where either side cannot be told, nothing is compared.",
  proof: "images",
  blocks: false,
  run({ seal, checkpoint, host }) {
    const plugins = checkpoint.inventory?.plugins_entry?.plugins ?? [];
    const usesGpu = plugins.includes("cuda_plugin") || plugins.includes("amdgpu_plugin");
    const had = (seal?.ok && usesGpu && seal.manifest.host?.gpus) || [];
    const has = had.length > 0 ? gpusOf(host) : [];
    // Where there is none at all, gpu-missing says it.
    if (has.length === 0) return [];
    const lacking = lackOf(had, has);
    if (lacking === undefined) return [];
    return [
      {
        severity: "warning",
        image: MANIFEST,
        subject: lacking,
        message: `where it was sealed there were ${shown(had)}; here are ${shown(has)}: ${lacking}`,
        remedy: {
          kind: "human",
          text: "restore on a machine with the same GPUs and the same version of their driver",
        },
      },
    ];
  },
};

const shown = (gpus: readonly Gpu[]): string =>
  gpus.map(({ model, driver }) => `${model} (driver ${driver ?? "unknown"})`).join(", ");

/** What of `had` is not to be had, in words. */
function lackOf(had: readonly Gpu[], has: readonly Gpu[]): string | undefined {
  const free = has.map(({ model }) => model);
  for (const { model } of had) {
    const at = free.indexOf(model);
    if (at < 0) return `no ${model} is left`;
    free.splice(at, 1);
  }
  const drivers = new Set(has.flatMap(({ driver }) => driver ?? []));
  const lost = had.find(
    ({ driver }) => driver !== null && drivers.size > 0 && !drivers.has(driver),
  );
  return lost && `no driver ${lost.driver}`;
}
