import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export const dumpableLost: Check = {
  title: "A task may not be dumped at all afterwards",
  reads: "dumpable in mm-*.img; /proc/sys/fs/suid_dumpable",
  why:
    "A task that changed its user under fs.suid_dumpable=2 has core dumps that only root can read. No program can set that state: where " +
    "fs.suid_dumpable has another value here, CRIU sets 0 instead, and the task writes no core dumps at all.",
  proof: "harm",
  blocks: false,
  run({ checkpoint, host }) {
    const setting = host.read("/proc/sys/fs/suid_dumpable")?.trim();
    if (setting === undefined || setting === "2") return [];
    const task = livingTasks(checkpoint).find(({ mm }) => mm?.dumpable === 2);
    if (task === undefined) return [];
    return [
      {
        severity: "warning",
        task: task.pid,
        image: `mm-${task.pid}.img`,
        subject: `task ${task.pid}`,
        message: `task ${task.pid} was dumpable for root only (2); with fs.suid_dumpable=${setting} it will not be dumpable`,
        criu_message: "Dumpable flag [2] does not match current",
        remedy: {
          kind: "human",
          text: "set it as it was, if core dumps matter",
          command: sh`sysctl fs.suid_dumpable=2`,
        },
      },
    ];
  },
};
