import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { labels, runningLsm, savedLsm } from "./lsm.ts";

export const lsmMismatch: Check = {
  title: "The tasks' security labels belong to another security module",
  reads: "inventory.img, creds in core-*.img; /sys/kernel/security/apparmor, /sys/fs/selinux",
  why:
    "Tasks under an AppArmor profile or with an SELinux context can only be restored where the same module runs and its file system is mounted. --lsm-profile " +
    "does not help: CRIU compares the modules first.",
  proof: "criu",
  run(context) {
    const [first] = labels(context);
    const was = savedLsm(context);
    const is = runningLsm(context);
    if (first === undefined || (is !== "none" && (was === is || was === "none"))) return [];
    return [
      {
        severity: "blocker",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: first.label,
        message: `thread ${first.tid} had the ${was} label ${first.label}; here runs ${is === "none" ? "neither AppArmor nor SELinux" : is}`,
        criu_message:
          was === "none"
            ? `can't render profile ${first.label} for lsmtype 0`
            : "mismatched lsm types and lsm profile specified",
        remedy: {
          kind: "human",
          text: `restore where ${was} runs, and mount its file system if this is a container; or dump it again unconfined`,
          command:
            was === "SELinux"
              ? sh`mount -t selinuxfs selinuxfs /sys/fs/selinux`
              : sh`mount -t securityfs securityfs /sys/kernel/security`,
        },
      },
    ];
  },
};
