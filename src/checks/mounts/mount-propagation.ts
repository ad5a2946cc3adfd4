import { criuHas, knownFault, showsOn, versionsOf } from "../../criu/known-faults.ts";
import type { Check, Problem } from "../finding.ts";
import { compatible, imageOf, type Mount, savedMounts } from "./external.ts";
import { oldWay, shares } from "./mount-groups.ts";

export const mountPropagation: Check = {
  title: "CRIU cannot make a mount shared or slave again",
  reads:
    "shared_id, master_id and mountpoint in mountpoints-*.img; the version of CRIU, the kernel's release; --mntns-compat-mode",
  why:
    "Since Linux 6.16, and in stable updates of older ones, how a mount shares is changed from its own namespace only. CRIU before 4.1.1 does it from outside; later " +
    "ones go inside, where they need /proc: a namespace without one they cannot restore.",
  proof: "criu",
  answers: ["option", "person"],
  run(context) {
    const { criu, host } = context;
    if (compatible(context)) return [];
    const fault = knownFault("mount-propagation");
    const shown = criuHas(fault, criu?.version) ? showsOn(fault, host.kernel) : "no";
    const inside = criuHas(knownFault("propagation-without-proc"), criu?.version);
    const mounts = savedMounts(context);
    const first = new Map<string, Mount>();
    for (const mount of mounts.filter(shares))
      if (!first.has(mount.image)) first.set(mount.image, mount);
    return first.values().flatMap((mount): Problem[] => {
      const hasProc = mounts.some(({ image, at }) => image === mount.image && at === "/proc");
      const lacksProc = inside && !hasProc;
      if (!lacksProc && shown === "no") return [];
      const how = mount.entry.master_id ? "slave" : "shared";
      return [
        {
          severity: lacksProc || shown === "yes" ? "blocker" : "warning",
          image: imageOf(mount),
          subject: mount.at,
          message: lacksProc
            ? `${mount.at} was a ${how} mount, and its namespace has no /proc, through which CRIU makes it one`
            : `${mount.at} was a ${how} mount, which CRIU ${criu?.version ?? "of unknown version"} ${shown === "yes" ? "cannot" : "may not be able to"} make again on Linux ${host.kernel} (${versionsOf(fault)})`,
          criu_message: `mnt-v2: Failed to make mount ${mount.entry.mnt_id} ${how}: ${lacksProc ? "No such file or directory" : "Invalid argument"}`,
          remedy: oldWay(context),
        },
      ];
    });
  },
};
