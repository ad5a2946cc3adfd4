import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { AUTO, compatible, fstypes, imageOf } from "./external.ts";
import { newFilesystems } from "./filesystems.ts";

export const filesystemUnknown: Check = {
  title: "This kernel does not know a file system of the tree",
  reads: "fstype and fsname in mountpoints-*.img; /proc/filesystems, /proc/modules",
  why: "CRIU mounts it anew. A kernel with modules may load what it lacks when it is asked for it; without modules it cannot.",
  proof: "criu",
  run(context) {
    const registered = new Set(
      (context.host.read("/proc/filesystems") ?? "").split("\n").map((row) => row.split("\t")[1]),
    );
    if (registered.size < 2) return [];
    return newFilesystems(context)
      .values()
      .flatMap(([mount]): Problem[] => {
        const { fstype, fsname } = mount.entry;
        const name = fstype === AUTO ? fsname : fstypes[fstype];
        if (name === undefined || registered.has(name)) return [];
        const modular = context.host.exists("/proc/modules");
        return [
          {
            severity: modular ? "warning" : "blocker",
            image: imageOf(mount),
            subject: name,
            message: `${mount.at} is a ${name}, which is not in /proc/filesystems${modular ? "; a module may bring it" : ""}`,
            criu_message: compatible(context) ? "mnt: Can't mount at" : "mnt-v2: Can't mount at",
            remedy: modular
              ? { kind: "human", text: "load its module", command: sh`modprobe fs-${name}` }
              : { kind: "human", text: `restore on a kernel with ${name}` },
          },
        ];
      });
  },
};
