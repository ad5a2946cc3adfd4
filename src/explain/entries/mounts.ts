/** Mount namespaces and what is mounted in them. */
import type { Entry } from "../entry.ts";

export const mounts: readonly Entry[] = [
  {
    pattern: /The --root option is required to restore a mount namespace/,
    check: "root-needed",
    remedy: "--root DIR, which holds its root file system",
    issues: ["#462"],
    example: "mnt: The --root option is required to restore a mount namespace",
    from: "staged",
  },
  {
    pattern: /No mapping for (?<mount>\d+:\S+) mountpoint/,
    check: "external-mount-unmapped",
    remedy: "--external mnt[KEY]:PATH; recriu show -D DIR lists the keys",
    issues: ["#462", "#1754"],
    example: "mnt: No mapping for 640:/data mountpoint",
    from: "staged",
  },
  {
    pattern: /is autodetected external mount/,
    check: "mount-autodetected",
    remedy: "--external mnt[], if the tree may see that of this machine",
    example: 'mnt: Mount 640:/data is autodetected external mount. Try "--ext-mount-map auto"',
    from: "source",
  },
  {
    pattern: /Failed to (?:open_tree|move_mount from) (?<path>\S+)/,
    check: "external-mount-source-missing",
    remedy: "ls -ld $<path>: it has to be there, a directory for a directory, a file for a file",
    example: "mnt-v2: Failed to open_tree /srv/data: No such file or directory",
    from: "staged",
  },
  {
    pattern: /Can't stat mountpoint|Can't bind-mount at/,
    check: "mountpoint-missing",
    also: ["external-mount-source-missing"],
    remedy: "make the mount point below --root, as a file or a directory",
    example:
      "mnt-v2: Can't stat mountpoint /tmp/.criu.mntns.x/mnt-0000000009: No such file or directory",
    from: "staged",
  },
  {
    pattern: /No device for (?<at>\S+) mount/,
    check: "mount-device-missing",
    remedy: "--external dev[NAME]:/dev/DEVICE",
    example: "mnt: No device for /data(640) mount",
    from: "staged",
  },
  {
    pattern: /Can't mount at\b|Unable to mount (?<root>\S+)/,
    check: "filesystem-unknown",
    also: ["root-missing", "mountpoint-missing"],
    remedy:
      "modprobe the file system; grep NAME /proc/filesystems; with --root check that it is a directory",
    example: "mnt-v2: Can't mount at /tmp/.criu.mntns.x/mnt-0000000009: No such device",
    from: "staged",
  },
  {
    pattern: /has unreachable sharing/,
    check: "mount-sharing",
    remedy:
      "--enable-external-sharing --enable-external-masters at dump and restore; --mntns-compat-mode",
    since: "3.17",
    example: "mnt-v2: Sharing group (7, 0) has unreachable sharing.",
    from: "source",
  },
  {
    pattern: /Failed to copy sharing from|Can't copy sharing from/,
    check: "mount-group",
    remedy: "--mntns-compat-mode",
    issues: ["opencontainers/runc#3442"],
    example: "mnt-v2: Failed to copy sharing from 607 to 576",
    from: "staged",
  },
];
