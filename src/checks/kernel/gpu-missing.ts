/** What the plugins for GPUs need of this machine (plugins/cuda, plugins/amdgpu). */
import type { Check } from "../finding.ts";

export const gpuMissing: Check = {
  title: "The tree used a GPU, and this machine has none for it",
  reads:
    "plugins_entry in inventory.img; /proc/driver/nvidia/gpus, cuda-checkpoint in PATH, /dev/kfd",
  why:
    "The plugin for CUDA turns itself off where there is no GPU or no cuda-checkpoint, without an error: the tasks come back and wait for " +
    "ever for what was on the GPU.",
  proof: "images",
  blocks: false,
  run(context) {
    const { host } = context;
    const plugins = context.checkpoint.inventory?.plugins_entry?.plugins ?? [];
    const lacking = [
      plugins.includes("cuda_plugin") &&
        !host.exists("/proc/driver/nvidia/gpus") &&
        "/proc/driver/nvidia/gpus",
      plugins.includes("cuda_plugin") &&
        host.program("cuda-checkpoint") === undefined &&
        "cuda-checkpoint",
      plugins.includes("amdgpu_plugin") && !host.exists("/dev/kfd") && "/dev/kfd",
    ].filter((name) => name !== false);
    return lacking.map((subject) => ({
      severity: "warning",
      image: "inventory.img",
      subject,
      message: `the tree used a GPU, and this machine has no ${subject}: its work there would be lost without an error`,
      remedy: {
        kind: "human",
        text: "restore on a machine with the same GPU and its driver",
      },
    }));
  },
};
