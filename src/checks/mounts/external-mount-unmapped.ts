import type { Check, Problem } from "../finding.ts";
import { EXTERNAL_DEVICE, imageOf, oldPlace, savedMounts } from "./external.ts";

/** crun covers masked directories with it, from 1.24 on; with --root it maps another one at the restore. */
const EMPTY = /^\/run\/crun\/\.empty-directory$/;

export const externalMountUnmapped: Check = {
  title: "Nothing says where an external mount comes from now",
  reads: "ext_key in mountpoints-*.img; --external mnt[KEY]:PATH, --ext-mount-map",
  why:
    "A mount from outside the container was dumped under a name of the user's choice. At the restore each such name must be given a " +
    "path of this machine again.",
  proof: "criu",
  answers: ["choice"],
  run: (context) =>
    savedMounts(context)
      .values()
      .flatMap((mount): Problem[] => {
        const { key, source, entry, at } = mount;
        if (key === undefined || source !== undefined || key === EXTERNAL_DEVICE) return [];
        const place = oldPlace(context, entry);
        const empty = EMPTY.test(key) && context.host.exists(key) ? key : undefined;
        const mapped =
          empty === undefined
            ? {
                text: `map it to the path that is to be at ${at}; at the dump it was ${entry.root} of its file system`,
                option: `--external mnt[${key}]:${place ?? "PATH"}`,
                automatic: false,
              }
            : {
                text: "map it to crun's empty directory, which is there",
                option: `--external=mnt[${key}]:${empty}`,
                automatic: true,
              };
        return [
          {
            severity: "blocker",
            image: imageOf(mount),
            subject: at,
            message: `${at} is an external mount of the name ${key}, which no option maps to a path`,
            criu_message: `mnt: No mapping for ${entry.mnt_id}:(null) mountpoint`,
            remedy: { kind: "option", ...mapped },
          },
        ];
      }),
};
