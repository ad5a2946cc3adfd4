import { sh } from "../../sys/shell.ts";
import type { Check, Problem, Remedy } from "../finding.ts";
import { backAsSealed } from "../files/taken-along.ts";
import { compatible, imageOf, savedMounts } from "./external.ts";
import { inRootNamespace, lookAtPlace, lookOnHost } from "./mount-sources.ts";

export const mountpointMissing: Check = {
  title: "The place of a mount is not there",
  reads: "mountpoints-*.img; the mount points under --root and in external mounts",
  why:
    "CRIU makes mounts, but not the directories and files that they cover. In the root file system of a container they are usually " +
    "made by the runtime, and lost with an image that is unpacked anew.",
  proof: "criu",
  answers: ["repair", "person"],
  maps: true,
  run: (context) =>
    savedMounts(context)
      .values()
      .flatMap((mount): Problem[] => {
        if (mount.isRoot || !inRootNamespace(context, mount)) return [];
        const look = lookAtPlace(context, mount);
        if (look === undefined || look.found.ok || !look.found.missing) return [];
        const { place } = look;
        const source = mount.source === undefined ? undefined : lookOnHost(context, mount.source);
        const directory = source?.ok
          ? source.stat.isDirectory()
          : mount.key === undefined && (mount.entry.root === "/" || mount.entry.fstype !== 0);
        const owner = context.namespaces.ownerOnHost(0, 0);
        const sealed = backAsSealed(context, mount.at, place);
        const remedy: Remedy =
          sealed?.kind === "repair" && (sealed.repair.action === "mkdir") === directory
            ? sealed
            : directory && owner
              ? {
                  kind: "repair",
                  text: `make the directory ${place.hostPath}`,
                  command: sh`install -d -m 0755 -o ${owner.uid} -g ${owner.gid} ${place.hostPath}`,
                  repair: {
                    action: "mkdir",
                    root: place.root.path,
                    path: place.path,
                    mode: 0o755,
                    ...owner,
                  },
                }
              : {
                  kind: "human",
                  text: "make it: an empty file if a file is mounted there, else a directory; where that place is another here, --map-path=OLD=NEW says so",
                  command: sh`touch ${place.hostPath}`,
                };
        return [
          {
            severity: "blocker",
            image: imageOf(mount),
            subject: place.hostPath,
            message: `${mount.at} of the tree cannot be mounted: ${place.hostPath}: ${look.found.problem}`,
            criu_message: compatible(context)
              ? mount.key === undefined
                ? "mnt: Can't mount at"
                : "mnt: Can't bind-mount at"
              : "mnt-v2: Can't stat mountpoint",
            remedy,
          },
        ];
      }),
};
