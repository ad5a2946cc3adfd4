import type { Check, Problem } from "../finding.ts";
import { sh } from "../../sys/shell.ts";
import { livingTasks } from "../paths.ts";
import { made, numberIn, refused } from "./limits.ts";

const CAP_SYS_RAWIO = 1n << 17n;

export const mmapMinAddr: Check = {
  title: "A mapping lies lower than this kernel allows",
  reads: "mm-*.img; /proc/sys/vm/mmap_min_addr; CAP_SYS_RAWIO of the caller, user namespace",
  why: "Emulators (wine, dosemu, qemu-user) map the first pages of memory. Below vm.mmap_min_addr that takes CAP_SYS_RAWIO in the machine's own user namespace.",
  proof: "criu",
  run(context) {
    const { checkpoint, host, namespaces } = context;
    const least = numberIn(host, "/proc/sys/vm/mmap_min_addr") ?? 0;
    if ((host.capabilities & CAP_SYS_RAWIO) !== 0n && !namespaces.created.user) return [];
    return livingTasks(checkpoint)
      .values()
      .flatMap((task): Problem[] => {
        const vma = made(task).find(({ start }) => start < BigInt(least));
        if (vma === undefined) return [];
        return [
          {
            severity: "blocker",
            task: task.pid,
            image: `mm-${task.pid}.img`,
            subject: `0x${vma.start.toString(16)}`,
            message: `task ${task.pid} has memory at 0x${vma.start.toString(16)}; vm.mmap_min_addr is ${least} here`,
            criu_message: refused(vma, "EPERM"),
            remedy: {
              kind: "human",
              text: "lower the limit for the time of the restore, or restore with CAP_SYS_RAWIO",
              command: sh`sysctl -w vm.mmap_min_addr=${vma.start}`,
            },
          },
        ];
      });
  },
};
