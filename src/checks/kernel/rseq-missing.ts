import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { older } from "./release.ts";

export const rseqMissing: Check = {
  title: "This kernel has no restartable sequences, and the tree uses them",
  reads: "rseq_entry in core-*.img; the kernel's release",
  why: "glibc 2.35 and later register each thread with rseq(2), which Linux has from 4.18 on. CRIU refuses to forget the registration.",
  proof: "images",
  run(context) {
    if (!older(context, 4, 18)) return [];
    for (const task of livingTasks(context.checkpoint))
      for (const { tid, core } of task.threads)
        if (core?.thread_core?.rseq_entry?.rseq_abi_pointer)
          return [
            {
              severity: "blocker",
              task: task.pid,
              image: `core-${tid}.img`,
              subject: `thread ${tid}`,
              message: `thread ${tid} is registered for restartable sequences, and Linux ${context.host.kernel} has none`,
              criu_message: "rseq: can't restore as kernel doesn't support it",
              remedy: { kind: "human", text: "restore on Linux 4.18 or later" },
            },
          ];
    return [];
  },
};
