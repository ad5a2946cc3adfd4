import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { labels, runningLsm, savedLsm } from "./lsm.ts";

/** Only a plain name can be looked up: stacks (`//&`) and policy namespaces (`:ns:`) are made by CRIU. */
const isPlain = (name: string): boolean => !name.includes("//&") && !name.startsWith(":");

export const apparmorProfileMissing: Check = {
  title: "An AppArmor profile is not loaded",
  reads: "creds in core-*.img, --lsm-profile; /sys/kernel/security/apparmor/profiles",
  why:
    "A confined task changes into its profile at the end of the restore, when nothing can be taken back any more. The kernel refuses a profile " +
    "that is not loaded.",
  proof: "criu",
  run(context) {
    const listed = context.host.read("/sys/kernel/security/apparmor/profiles");
    if (runningLsm(context) !== "AppArmor" || listed === undefined) return [];
    if (savedLsm(context) === "SELinux") return []; // no profiles: lsm-mismatch
    const loaded = new Set(listed.split("\n").map((line) => line.replace(/ \(\w+\)$/, "")));
    const asked = /^apparmor:(.+)$/.exec(context.request.lsmProfile ?? "")?.[1];
    const wanted = labels(context).map((found) => ({ ...found, label: asked ?? found.label }));
    const names = new Set<string>();
    return wanted.values().flatMap(({ task, tid, label }): Problem[] => {
      if (!isPlain(label) || loaded.has(label) || names.has(label)) return [];
      names.add(label);
      return [
        {
          severity: "blocker",
          task,
          image: `core-${tid}.img`,
          subject: label,
          message: `the AppArmor profile ${label} of thread ${tid} is not loaded here`,
          criu_message: "can't write lsm profile -2",
          remedy: {
            kind: "human",
            text: "load the profile, or name another one by --lsm-profile apparmor:NAME",
            command: sh`apparmor_parser -r /etc/apparmor.d/${label.replaceAll("/", ".").replace(/^\./, "")}`,
          },
        },
      ];
    });
  },
};
