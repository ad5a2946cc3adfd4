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

/**
 * The mounts by which CRIU may mount a file system anew, for each that it has to: the first of them does, and all others of
 * the device are bound from it. Those that the user named devices for come first, else it is one that shows the whole of
 * the file system.
 */
function newFilesystems(context: Context): (readonly [Mount, ...Mount[]])[] {
  const groups = Map.groupBy(boundAndMade(context).made, ({ entry }) => entry.root_dev);
  return [...groups.values()].flatMap((members) => {
    const depth = ({ at }: Mount) => at.split("/").length;
    const group = members.toReversed().sort((a, b) => depth(b) - depth(a)); // as CRIU mounts them
    const named = group.filter(({ key }) => key === EXTERNAL_DEVICE);
    const whole = group.filter(({ entry }) => entry.root === "/");
    const [first, ...others] = [named, whole, group].find(({ length }) => length > 0) ?? [];
    return first === undefined ? [] : [[first, ...others] as const];
  });
}

/** Major and minor number. */
const deviceOf = ({ entry }: Mount) => [entry.root_dev >>> 20, entry.root_dev & 0xfffff] as const;

/** The name that the device was given at the dump. */
const nameOf = ({ entry }: Mount) => /^dev\[(.*)\]$/.exec(entry.source)?.[1] ?? entry.source;

/** Whether CRIU knows what to mount: nothing, an option's device, or the one of the dump under its old number (resolve_source). */
function isDeviceKnown(context: Context, mount: Mount): boolean {
  const { entry, key } = mount;
  const [major, minor] = deviceOf(mount);
  if (major === 0) return true;
  if (key !== EXTERNAL_DEVICE && entry.fstype !== AUTO) return false;
  const name = nameOf(mount);
  if (context.request.external.some((given) => given.kind === "dev" && given.key === name))
    return true;
  const same = lookOnHost(context, entry.source);
  // A device number as stat(2) packs it: makedev(3).
  const packed = (minor & 0xff) + major * 0x100 + (minor - (minor & 0xff)) * 0x1000;
  return same?.ok === true && same.stat.isBlockDevice() && same.stat.rdev === packed;
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
    newFilesystems(context).flatMap((mounts): Finding[] => {
      if (mounts.some((mount) => isDeviceKnown(context, mount))) return [];
      const [mount] = mounts;
      const { entry, at } = mount;
      const [major, minor] = deviceOf(mount);
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
            option: `--external dev[${nameOf(mount)}]:DEVICE`,
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
    return newFilesystems(context).flatMap(([mount]): Finding[] => {
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
