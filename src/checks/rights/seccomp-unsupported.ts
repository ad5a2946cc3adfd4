import type { Check } from "../finding.ts";
import { filtered } from "./seccomp.ts";

export const seccompUnsupported: Check = {
  title: "This kernel has no seccomp filters",
  reads: "seccomp_mode in core-*.img; Seccomp in /proc/self/status",
  why: "A kernel without CONFIG_SECCOMP_FILTER refuses the filters that the tasks had.",
  proof: "images",
  run(context) {
    const status = context.host.read("/proc/self/status");
    const [first] = filtered(context);
    if (first === undefined || status === undefined || /^Seccomp:/m.test(status)) return [];
    return [
      {
        severity: "blocker",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid} has seccomp filters, which this kernel does not have`,
        criu_message: "seccomp: SECCOMP_SET_MODE_FILTER returned",
        remedy: {
          kind: "human",
          text: "restore on a kernel with CONFIG_SECCOMP_FILTER",
        },
      },
    ];
  },
};
