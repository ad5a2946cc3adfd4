import type { Check, Problem } from "../finding.ts";
import { labels, runningLsm, savedLsm } from "./lsm.ts";

/** Modules that answer for /proc/PID/attr/current: of several the first in the kernel's order (security_setprocattr() of security/security.c). */
const answers = new Set(["selinux", "smack", "apparmor", "bpf"]);

export const lsmUnwritable: Check = {
  title: "AppArmor may not take the profile that CRIU writes",
  reads: "creds in core-*.img; /sys/kernel/security/lsm, /proc/self/attr/apparmor/current",
  why:
    "CRIU gives a thread its profile through /proc/self/attr/current. Where several security modules are stacked, that file belongs to the first of " +
    "them, and another one refuses the words. And a process that is confined itself may only change to a profile where its own has a rule " +
    "change_profile for it, even if it has that very profile already. Both are found at the end of the restore, when nothing can be taken back any more.",
  proof: "images",
  blocks: false,
  run(context) {
    const [first] = labels(context);
    if (first === undefined || runningLsm(context) !== "AppArmor") return [];
    if (savedLsm(context) === "SELinux") return []; // lsm-mismatch
    const problem = (message: string, errno: number, text: string): Problem => ({
      severity: "warning",
      task: first.task,
      image: `core-${first.tid}.img`,
      subject: first.label,
      message,
      criu_message: `can't write lsm profile ${errno}`,
      remedy: { kind: "human", text },
    });
    const order = (context.host.read("/sys/kernel/security/lsm") ?? "").trim().split(",");
    const asked = order.find((name) => answers.has(name)) ?? "apparmor";
    const own = (context.host.read("/proc/self/attr/apparmor/current") ?? "unconfined").trim();
    return [
      ...(asked === "apparmor"
        ? []
        : [
            problem(
              `thread ${first.tid} had the AppArmor profile ${first.label}; CRIU writes it to /proc/self/attr/current, which here is ${asked}'s (/sys/kernel/security/lsm)`,
              -22,
              `boot with apparmor before ${asked} in lsm= on the kernel's command line`,
            ),
          ]),
      ...(/^unconfined\b/.test(own)
        ? []
        : [
            problem(
              `recriu, and so CRIU, is confined by ${own}: to give thread ${first.tid} the profile ${first.label} takes a rule change_profile in it`,
              -13,
              "restore from an unconfined shell, or give that profile the rule change_profile -> PROFILE,",
            ),
          ]),
    ];
  },
};
