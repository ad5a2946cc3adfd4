import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** VMA_AREA_VDSO and VMA_AREA_GUARD: vma_entry.status (image.h). */
const VMA_VDSO = 1 << 3;

export const vdsoMissing: Check = {
  title: "This kernel gives programs no vDSO",
  reads: "mappings in mm-*.img; /proc/self/maps",
  why:
    "The kernel maps a little library into each program, through which it tells the time. CRIU leads the old one's calls into the new " +
    "one; a kernel without one (vdso=0) leaves nothing to lead to.",
  proof: "images",
  run({ checkpoint, host }) {
    const task = livingTasks(checkpoint).find(({ mm }) =>
      mm?.vmas.some(({ status }) => status & VMA_VDSO),
    );
    const maps = task === undefined ? undefined : host.read("/proc/self/maps");
    if (task === undefined || maps === undefined || maps.includes("[vdso]")) return [];
    return [
      {
        severity: "blocker",
        task: task.pid,
        image: `mm-${task.pid}.img`,
        subject: "[vdso]",
        message: `task ${task.pid} has a vDSO, and this kernel gives none`,
        criu_message: "vDSO isn't provided by kernel, but exists in images",
        remedy: {
          kind: "human",
          text: "start the kernel without vdso=0",
          command: sh`cat /proc/cmdline`,
        },
      },
    ];
  },
};
