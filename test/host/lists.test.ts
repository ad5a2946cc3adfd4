/** Lists of the kernel, as texts: cgroup mounts, locks, Unix sockets. */
import { expect, test } from "bun:test";
import { cgroupDirectory, parseCgroupMounts } from "../../src/host/cgroups.ts";
import { lockName, parseLocks } from "../../src/host/locks.ts";
import { parseUnixSockets } from "../../src/host/sockets.ts";

const mount = (root: string, at: string, options: string, type: string, more: string) =>
  `30 24 0:26 ${root} ${at} ${options} shared:9 - ${type} cgroup ${more}\n`;

test("cgroup mounts: controllers, what of the hierarchy is there, who cannot write", () => {
  const text =
    mount("/", "/sys/fs/cgroup/unified", "rw,nosuid", "cgroup2", "rw,nsdelegate") +
    mount("/a\\040b", "/sys/fs/cgroup/cpu", "ro,nosuid", "cgroup", "rw,cpu,cpuacct") +
    mount("/", "/mnt/name", "rw", "cgroup", "ro,xattr,name=x,release_agent=/y") +
    "31 24 0:27 / /proc rw - proc proc rw\n";
  expect(parseCgroupMounts(text)).toEqual([
    {
      controllers: [""],
      mountpoint: "/sys/fs/cgroup/unified",
      root: "/",
      device: "0:26",
      readOnly: false,
    },
    {
      controllers: ["cpu", "cpuacct"],
      mountpoint: "/sys/fs/cgroup/cpu",
      root: "/a b",
      device: "0:26",
      readOnly: "mount",
    },
    {
      controllers: ["name=x"],
      mountpoint: "/mnt/name",
      root: "/",
      device: "0:26",
      readOnly: "hierarchy",
    },
  ]);
});

test("where a cgroup is: in the hierarchy of all its controllers, and only in the part that is mounted", () => {
  const of = (controllers: string[], mountpoint: string, root = "/") =>
    ({ controllers, mountpoint, root, readOnly: false, device: "0:1" }) as const;
  const mounts = [
    of(["cpu", "cpuacct"], "/sys/fs/cgroup/cpu"),
    of(["cpu"], "/mnt/cpu"),
    of([""], "/u", "/part"),
  ];
  expect(cgroupDirectory(mounts, ["cpu", "cpuacct"], "/x")).toBe("/sys/fs/cgroup/cpu/x");
  expect(cgroupDirectory(mounts, ["cpu", "memory"], "/x")).toBeUndefined();
  expect(cgroupDirectory(mounts, [""], "/part/x")).toBe("/u/x");
  expect(cgroupDirectory(mounts, [""], "/part")).toBe("/u");
  expect(cgroupDirectory(mounts, [""], "/party")).toBeUndefined();
});

test("locks that are held, and none that is only waited for", () => {
  const text =
    "1: POSIX  ADVISORY  WRITE 123 fe:00:456 0 EOF\n" +
    "1: -> POSIX  ADVISORY  WRITE 124 fe:00:456 0 EOF\n" +
    "2: OFDLCK ADVISORY  READ  -1 fe:00:457 5 9\n";
  expect(parseLocks(text)).toEqual([
    { kind: "POSIX", exclusive: true, pid: 123, file: "fe:00:456", start: 0n, end: undefined },
    { kind: "OFDLCK", exclusive: false, pid: -1, file: "fe:00:457", start: 5n, end: 9n },
  ]);
  expect(lockName({ dev: (0xfe << 8) | 3, ino: 9 })).toBe("fe:03:9");
});

test("Unix sockets: which accept connections, and names with anything in them", () => {
  const text =
    "Num       RefCount Protocol Flags    Type St Inode Path\n" +
    "0000: 00000002 00000000 00010000 0001 01 77 /a b\nc\n" +
    "0000: 00000002 00000000 00000000 0002 01 78\n";
  expect(parseUnixSockets(text)).toEqual([
    { listening: true, type: 1, inode: 77, path: "/a b\nc" },
    { listening: false, type: 2, inode: 78, path: "" },
  ]);
});
