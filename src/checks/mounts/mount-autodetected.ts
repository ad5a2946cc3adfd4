import type { Check, Problem } from "../finding.ts";
import { AUTODETECTED, imageOf, savedMounts } from "./external.ts";

export const mountAutodetected: Check = {
  title: "A mount from outside was detected at the dump and is not allowed here",
  reads: "ext_key in mountpoints-*.img; --external mnt[], --ext-mount-map auto",
  why:
    "The dump was allowed to take mounts from outside the container as they were. The restore has to be allowed too, as it opens paths of " +
    "this machine to the tree that only the images name: recriu does not decide that by itself.",
  proof: "criu",
  answers: ["choice"],
  run: (context) =>
    context.request.autodetectExtMounts
      ? []
      : savedMounts(context)
          .values()
          .flatMap((mount): Problem[] => {
            if (mount.key !== AUTODETECTED) return [];
            return [
              {
                severity: "blocker",
                image: imageOf(mount),
                subject: mount.at,
                message: `${mount.at} came from ${mount.entry.source} outside the container, which the restore was not allowed to use`,
                criu_message: `mnt: Mount ${mount.entry.mnt_id}:(null) is autodetected external mount.`,
                remedy: {
                  kind: "option",
                  text: `allow it, if the tree may see ${mount.entry.source} of this machine`,
                  option: "--external mnt[]",
                  automatic: false,
                },
              },
            ];
          }),
};
