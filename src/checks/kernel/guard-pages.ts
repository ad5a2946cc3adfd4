import { knows } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { older } from "./release.ts";

const VMA_GUARD = 1 << 16;

export const guardPages: Check = {
  title: "This kernel has no guard pages, and the tree has some",
  reads: "mappings in mm-*.img; the kernel's release",
  why: "glibc guards stacks with madvise(MADV_GUARD_INSTALL), which Linux has from 6.13 on. CRIU 4.2 puts those guards back and fails where it cannot.",
  proof: "images",
  run(context) {
    // An older CRIU forgets them without a word.
    if (!knows(context.criu?.version, "guardRegions", false)) return [];
    if (!older(context, 6, 13)) return [];
    return livingTasks(context.checkpoint)
      .values()
      .flatMap((task): Problem[] =>
        task.mm?.vmas.some(({ status }) => status & VMA_GUARD)
          ? [
              {
                severity: "blocker",
                task: task.pid,
                image: `mm-${task.pid}.img`,
                subject: `task ${task.pid}`,
                message: `task ${task.pid} has guard pages, which Linux ${context.host.kernel} does not know`,
                criu_message: "MADV_GUARD_INSTALL",
                remedy: { kind: "human", text: "restore on Linux 6.13 or later" },
              },
            ]
          : [],
      );
  },
};
