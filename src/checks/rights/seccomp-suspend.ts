import type { Check } from "../finding.ts";
import { filtered } from "./seccomp.ts";

export const seccompSuspend: Check = {
  title: "CRIU is filtered itself and cannot suspend the tasks' filters",
  reads: "seccomp_mode in core-*.img; Seccomp in /proc/self/status",
  why:
    "The last steps of a restore are system calls in the task, after its filters are back. CRIU has the kernel suspend them for that, which a process under " +
    "a filter of its own (in most containers) may not ask for. Then a strict filter kills the task, and CRIU waits for it for ever.",
  proof: "criu",
  blocks: false,
  run(context) {
    const mode = /^Seccomp:\s*(\d+)$/m.exec(context.host.read("/proc/self/status") ?? "")?.[1];
    const [first] = mode === undefined || mode === "0" ? [] : filtered(context);
    if (first === undefined) return [];
    return [
      {
        severity: "warning",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid} has seccomp filters, and CRIU, which will run under one itself, may not suspend them`,
        criu_message: "failed to suspend seccomp, restore will probably fail...",
        remedy: {
          kind: "human",
          text: "run it outside of this container, or run the container without a seccomp profile",
        },
      },
    ];
  },
};
