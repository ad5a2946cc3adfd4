import type { Check, Problem } from "../finding.ts";
import { compatible, imageOf, savedMounts } from "./external.ts";

export const mountSharing: Check = {
  title: "A mount's master is outside of what CRIU can reach",
  reads: "shared_id, master_id and root_dev in mountpoints-*.img; --mntns-compat-mode",
  why:
    "A slave mount gets what is mounted below its master. When the master was outside of the container, CRIU finds it only through " +
    "an external mount or the root of the same file system.",
  proof: "images",
  run(context) {
    if (compatible(context)) return [];
    const mounts = savedMounts(context);
    const shared = new Set(mounts.map(({ entry }) => entry.shared_id ?? 0));
    const reachable = new Set(
      mounts
        .filter(({ isRoot, source }) => isRoot || source !== undefined)
        .map(({ entry }) => entry.root_dev),
    );
    return mounts.values().flatMap((mount): Problem[] => {
      const { master_id: master = 0, shared_id: peers = 0, root_dev } = mount.entry;
      if (master === 0 || shared.has(master) || reachable.has(root_dev)) return [];
      return [
        {
          severity: "blocker",
          image: imageOf(mount),
          subject: mount.at,
          message: `${mount.at} was a slave of a mount outside the container, which nothing here leads to`,
          criu_message: `mnt-v2: Sharing group (${peers}, ${master}) has unreachable sharing.`,
          remedy: {
            kind: "human",
            text: `dump it again with ${mount.at} as an external mount: --external mnt[MOUNTPOINT]:KEY`,
          },
        },
      ];
    });
  },
};
