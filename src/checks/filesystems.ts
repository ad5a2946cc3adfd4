/** File systems that CRIU mounts anew, and how mounts share what happens below them (mount.c, mount-v2.c). */
import type { Check, Context, Finding } from "./finding.ts";
import { boundAndMade } from "./mount-host.ts";
import { lookOnHost } from "./mount-sources.ts";
import {
  AUTO,
  compatible,
  EXTERNAL_DEVICE,
  fstypes,
  imageOf,
  type Mount,
  savedMounts,
} from "./mounts.ts";
import { sh } from "../sys/shell.ts";

/** Of each file system that CRIU has to mount anew the first mount. */
function newFilesystems(context: Context): Mount[] {
  const first = new Map<number, Mount>();
  for (const mount of boundAndMade(context).made)
    if (!first.has(mount.entry.root_dev)) first.set(mount.entry.root_dev, mount);
  return [...first.values()];
}

export const mountDeviceMissing: Check = {
  id: "mount-device-missing",
  title: "The device of a mounted file system is not named",
  reads:
    "root_dev, source and ext_key in mountpoints-*.img; --external dev[NAME]:DEVICE and block devices",
  why:
    "CRIU mounts a file system on a device anew, but from a device that the user names: device numbers change from boot to boot and " +
    "from machine to machine.",
  proof: "criu",
  run: (context) =>
    newFilesystems(context).flatMap((mount): Finding[] => {
      const { entry, at, key } = mount;
      const [major, minor] = [entry.root_dev >>> 20, entry.root_dev & 0xfffff];
      if (major === 0) return [];
      const name = /^dev\[(.*)\]$/.exec(entry.source)?.[1] ?? entry.source;
      if (key === EXTERNAL_DEVICE || entry.fstype === AUTO) {
        const given = context.request.external.some((e) => e.kind === "dev" && e.key === name);
        const same = lookOnHost(context, entry.source);
        const rdev = same?.ok && same.stat.isBlockDevice() ? same.stat.rdev : 0;
        // A device number as stat(2) packs it: makedev(3).
        const packed = (minor & 0xff) + major * 0x100 + (minor - (minor & 0xff)) * 0x1000;
        if (given || rdev === packed) return [];
      }
      return [
        {
          id: "mount-device-missing",
          severity: "blocker",
          task: null,
          image: imageOf(mount),
          subject: at,
          message: `${at} was a file system on the device ${entry.source} (${major}:${minor}), which no option names`,
          criu_message: `mnt: No device for ${at}(${entry.mnt_id}) mount`,
          remedy: {
            kind: "option",
            text: "name the device that holds it now (lsblk -f lists them)",
            command: null,
            option: `--external dev[${name}]:DEVICE`,
            automatic: false,
          },
        },
      ];
    }),
};

export const filesystemUnknown: Check = {
  id: "filesystem-unknown",
  title: "This kernel does not know a file system of the tree",
  reads: "fstype and fsname in mountpoints-*.img; /proc/filesystems, /proc/modules",
  why: "CRIU mounts it anew. A kernel with modules may load what it lacks when it is asked for it; without modules it cannot.",
  proof: "criu",
  run(context) {
    const known = new Set(
      (context.host.read("/proc/filesystems") ?? "").split("\n").map((row) => row.split("\t")[1]),
    );
    if (known.size < 2) return [];
    return newFilesystems(context).flatMap((mount): Finding[] => {
      const { fstype, fsname } = mount.entry;
      const name = fstype === AUTO ? fsname : fstypes[fstype];
      if (name === undefined || known.has(name)) return [];
      const modular = context.host.exists("/proc/modules");
      return [
        {
          id: "filesystem-unknown",
          severity: modular ? "warning" : "blocker",
          task: null,
          image: imageOf(mount),
          subject: name,
          message: `${mount.at} is a ${name}, which is not in /proc/filesystems${modular ? "; a module may bring it" : ""}`,
          criu_message: compatible(context) ? "mnt: Can't mount at" : "mnt-v2: Can't mount at",
          remedy: modular
            ? { kind: "human", text: "load its module", command: sh`modprobe fs-${name}` }
            : { kind: "human", text: `restore on a kernel with ${name}`, command: null },
        },
      ];
    });
  },
};

export const mountSharing: Check = {
  id: "mount-sharing",
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
    return mounts.flatMap((mount): Finding[] => {
      const { master_id: master = 0, shared_id: own = 0, root_dev } = mount.entry;
      if (master === 0 || shared.has(master) || reachable.has(root_dev)) return [];
      return [
        {
          id: "mount-sharing",
          severity: "blocker",
          task: null,
          image: imageOf(mount),
          subject: mount.at,
          message: `${mount.at} was a slave of a mount outside the container, which nothing here leads to`,
          criu_message: `mnt-v2: Sharing group (${own}, ${master}) has unreachable sharing.`,
          remedy: {
            kind: "human",
            text: `dump it again with ${mount.at} as an external mount: --external mnt[MOUNTPOINT]:KEY`,
            command: null,
          },
        },
      ];
    });
  },
};
