import type { Check, Problem } from "../finding.ts";
import { EXTERNAL_DEVICE, imageOf, savedMounts } from "./external.ts";

export const externalMountUnmapped: Check = {
  title: "Nothing says where an external mount comes from now",
  reads: "ext_key in mountpoints-*.img; --external mnt[KEY]:PATH, --ext-mount-map",
  why:
    "A mount from outside the container was dumped under a name of the user's choice. At the restore each such name must be given a " +
    "path of this machine again.",
  proof: "criu",
  run: (context) =>
    savedMounts(context).flatMap((mount): Problem[] => {
      const { key, source, entry, at } = mount;
      if (key === undefined || source !== undefined || key === EXTERNAL_DEVICE) return [];
      const there = entry.root.startsWith("/") && context.host.exists(entry.root);
      const path = there ? entry.root : "PATH";
      return [
        {
          severity: "blocker",
          image: imageOf(mount),
          subject: at,
          message: `${at} is an external mount of the name ${key}, which no option maps to a path`,
          criu_message: `mnt: No mapping for ${entry.mnt_id}:(null) mountpoint`,
          remedy: {
            kind: "option",
            text: there
              ? `map it; at the dump it was ${entry.root} of its file system`
              : `map it to the path that is to be at ${at}`,
            option: `--external mnt[${key}]:${path}`,
            automatic: false,
          },
        },
      ];
    }),
};
