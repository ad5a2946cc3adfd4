import type { Host } from "../../host/index.ts";
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { made, refused } from "./limits.ts";

/** TASK_SIZE of x86-64: with five levels of page tables, or with four. */
const FIVE_LEVELS = (1n << 56n) - 4096n;

const FOUR_LEVELS = (1n << 47n) - 4096n;

/** arm64 has no fewer bits than this. */
const FEWEST = 1n << 36n;

/** The address that no mapping may go beyond; undefined where it cannot be told. */
function endOf(host: Host): bigint | undefined {
  if (host.architecture === "x64")
    return /^flags\s*:.*\bla57\b/m.test(host.read("/proc/cpuinfo") ?? "")
      ? FIVE_LEVELS
      : FOUR_LEVELS;
  // The stack is at the top of all addresses, and below 48 bits where there are 52 for a program that asks.
  const stack = /-([0-9a-f]+) .*\[stack\]$/m.exec(host.read("/proc/self/maps") ?? "")?.[1];
  if (stack === undefined) return undefined;
  const bits = BigInt(`0x${stack}`).toString(2).length;
  return 1n << BigInt(bits === 48 ? 52 : bits);
}

export const addressSpace: Check = {
  title: "A mapping lies higher than this processor's addresses reach",
  reads: "mm-*.img; la57 in /proc/cpuinfo (x86-64), [stack] in /proc/self/maps (arm64)",
  why:
    "A program that asked for it can use 57 bits of address where the processor has five levels of page tables; elsewhere there are 47. " +
    "A kernel of arm64 is built for 36, 39, 42, 47, 48 or 52, and programs use all of them but for the last: their stacks are at the top.",
  proof: "criu",
  run({ checkpoint, host }) {
    const x64 = host.architecture === "x64";
    const least = x64 ? FOUR_LEVELS : FEWEST;
    const high = livingTasks(checkpoint).filter((task) =>
      made(task).some((vma) => vma.end > least),
    );
    const end = high.length === 0 ? undefined : endOf(host);
    if (end === undefined) return [];
    return high.flatMap((task): Problem[] => {
      const vma = made(task).find((each) => each.end > end);
      if (vma === undefined) return [];
      const at = `0x${vma.start.toString(16)}`;
      return [
        {
          severity: "blocker",
          task: task.pid,
          image: `mm-${task.pid}.img`,
          subject: at,
          message: `task ${task.pid} has memory at ${at}, which is beyond the addresses of this machine`,
          criu_message: refused(vma, "ENOMEM"),
          remedy: {
            kind: "human",
            text: x64
              ? "restore on a machine whose processor and kernel have five-level paging (la57)"
              : "restore on a machine whose kernel has as many bits of address (CONFIG_ARM64_VA_BITS)",
          },
        },
      ];
    });
  },
};
