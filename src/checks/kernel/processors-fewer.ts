import { MANIFEST } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { processorLimitOf, processorsOf } from "./machine.ts";

export const processorsFewer: Check = {
  title: "The tree has fewer processors here than where it was sealed",
  reads: "recriu.manifest; /sys/devices/system/cpu/online, cpu.max, cpu.cfs_quota_us",
  why:
    "Programs count processors when they start: pools of threads and heaps stay as large as they were made. With fewer processors, or a smaller quota, the " +
    "same program is slower, and what it does in time may time out. Where the seal says nothing of it, nothing is compared.",
  proof: "images",
  blocks: false,
  run(context) {
    const sealed = context.seal?.ok ? context.seal.manifest.host : undefined;
    if (sealed?.processors === undefined) return [];
    const online = processorsOf(context.host);
    if (online === undefined) return [];
    const had = Math.min(sealed.processors, sealed.limits.processors ?? Infinity);
    const has = Math.min(online, processorLimitOf(context) ?? Infinity);
    if (has >= had) return [];
    return [
      {
        severity: "warning",
        image: MANIFEST,
        subject: `${has}`,
        message: `the tree could use ${shown(had)} where it was sealed; here it can use ${shown(has)}`,
        remedy: {
          kind: "human",
          text: "restore on a machine, or with a quota of its cgroup, that has as many; or see whether it is fast enough",
        },
      },
    ];
  },
};

const shown = (count: number): string => `${Number(count.toFixed(2))} processors`;
