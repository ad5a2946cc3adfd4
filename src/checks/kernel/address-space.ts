import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { made, refused } from "./limits.ts";

/** TASK_SIZE of x86-64: with five levels of page tables, or with four. */
const FIVE_LEVELS = (1n << 56n) - 4096n;

const FOUR_LEVELS = (1n << 47n) - 4096n;

export const addressSpace: Check = {
  title: "A mapping lies higher than this processor's addresses reach",
  reads: "mm-*.img; la57 in /proc/cpuinfo (x86-64)",
  why: "A program that asked for it can use 57 bits of address where the processor has five levels of page tables; elsewhere there are 47.",
  proof: "criu",
  run({ checkpoint, host }) {
    if (host.architecture !== "x64") return [];
    const highest = livingTasks(checkpoint).flatMap((task) => {
      const vma = made(task).find(({ end }) => end > FOUR_LEVELS);
      return vma === undefined ? [] : [{ task, vma }];
    });
    if (highest.length === 0) return [];
    const five = /^flags\s*:.*\bla57\b/m.test(host.read("/proc/cpuinfo") ?? "");
    return highest
      .filter(({ vma }) => !five || vma.end > FIVE_LEVELS)
      .map(({ task, vma }) => ({
        severity: "blocker",
        task: task.pid,
        image: `mm-${task.pid}.img`,
        subject: `0x${vma.start.toString(16)}`,
        message: `task ${task.pid} has memory at 0x${vma.start.toString(16)}, which is beyond the addresses of this machine`,
        criu_message: refused(vma, "ENOMEM"),
        remedy: {
          kind: "human",
          text: "restore on a machine whose processor and kernel have five-level paging (la57)",
        },
      }));
  },
};
