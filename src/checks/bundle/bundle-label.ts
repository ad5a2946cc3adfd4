import type { Check } from "../finding.ts";
import { labelAfter, runningLsm } from "../rights/lsm.ts";
import { credsOf, perThread } from "./bundle-rights.ts";

export const bundleLabel: Check = {
  title: "A task is not under the AppArmor profile or SELinux label of the container's bundle",
  reads:
    "process.apparmorProfile and process.selinuxLabel in config.json; lsm_profile of creds in core-*.img; --lsm-profile; /sys/kernel/security/apparmor, /sys/fs/selinux",
  why:
    "CRIU gives each thread the label of the images (or of --lsm-profile, where it had one), whatever the configuration says. Profiles below that of the bundle (`NAME//child`) and stacked " +
    "onto it (`NAME//&other`) are in order. Whether another label allows more, only the policy could tell. Where neither module runs, nothing is confined under any runtime.",
  proof: "images",
  run(context) {
    const runs = runningLsm(context);
    const wanted = runs === "none" ? undefined : context.bundle?.labels[runs];
    if (wanted === undefined) return [];
    return perThread("bundle-label", context, credsOf, (thread) => {
      const label = labelAfter(context, credsOf(thread)?.lsm_profile);
      if (label === wanted || label?.startsWith(`${wanted}//`)) return undefined;
      const under = label ? `under ${label}` : "unconfined";
      return {
        subject: label ?? "unconfined",
        message: `would be ${under}; the container's bundle asks for ${wanted}`,
      };
    });
  },
};
