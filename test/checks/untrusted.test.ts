/** Effects and refusals of images that no machine here can dump: made up, entry by entry. */
import { expect, test } from "bun:test";
import { catalogue, type Context } from "../../src/checks/index.ts";
import { effectsOf } from "../../src/checks/effects/index.ts";
import { type Host, openRoot } from "../../src/host/index.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const opts = {
  so_sndbuf: 0,
  so_rcvbuf: 0,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  so_filter: [],
};
const root = {
  type: 1,
  id: 1,
  reg: { id: 1, flags: 0, pos: 0n, fown: noOne, name: "/", mode: 0o40755 },
};
const exe = {
  type: 1,
  id: 2,
  reg: { id: 2, flags: 0, pos: 0n, fown: noOne, name: "/dev/null", mode: 0o20666 },
};

/** Its paths are looked up on this machine; all else is nobody's. */
const host: Partial<Host> = {
  root: openRoot,
  effectiveUid: 0,
  access: () => 0,
  exists: () => false,
  entry: () => undefined,
  absolute: (path) => path,
  read: () => undefined,
  limit: () => undefined,
  processes: [],
};

/** Ids and subjects of what the checks of --untrusted refuse. */
function refused(
  images: Record<string, Uint8Array>,
  options: string[] = [],
  allowWrite: string[] = [],
) {
  const own = { untrusted: true, allowWrite };
  return withContext({ ...fixture(), ...images }, { own, options, host }, (context) => {
    const full: Context = { ...context, effects: effectsOf(context) };
    const found = catalogue.flatMap((check) =>
      check.id.startsWith("untrusted-")
        ? check.run(full, check.id).map(({ subject }) => [check.id, subject])
        : [],
    );
    return found.filter(([id]) => id !== "untrusted-images");
  });
}

const files = (...entries: object[]) => ({
  "files.img": image("files.img", [root, exe, ...entries]),
});

/** A mount namespace of its own with these mounts. */
const mounted = (...mounts: object[]) => ({
  "ids-10.img": image("ids-10.img", [
    { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4, pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 16 },
  ]),
  "mountpoints-16.img": image("mountpoints-16.img", [
    mount({ mnt_id: 1, parent_mnt_id: 0, mountpoint: "/", source: "/dev/vda" }),
    ...mounts.map((one) => mount({ mnt_id: 2, parent_mnt_id: 1, source: "none", ...one })),
  ]),
});
const mount = (given: object) => ({
  fstype: 0,
  root_dev: 1,
  flags: 0,
  root: "/",
  options: "",
  ...given,
});

test("untrusted-network: packet sockets and tun devices of this machine's namespace", () => {
  const psk = {
    id: 3,
    type: 3,
    protocol: 3,
    flags: 2,
    ifindex: 0,
    fown: noOne,
    opts,
    version: 0,
    reserve: 0,
    aux_data: false,
    orig_dev: false,
    vnet_hdr: false,
    loss: false,
    timestamp: 0,
    copy_thresh: 0,
    mclist: [],
  };
  const tunf = { id: 4, netdev: "tun7" };
  expect(refused(files({ type: 10, id: 3, psk }, { type: 11, id: 4, tunf }))).toEqual([
    ["untrusted-network", "every device"],
    ["untrusted-network", "tun7"],
  ]);
  expect(refused(files({ type: 10, id: 3, psk: { ...psk, ns_id: 9 } }))).toEqual([]);
});

test("untrusted-kernel: profiles and binary formats", () => {
  const apparmor = {
    namespaces: [
      { name: "root", policies: [{ name: "p", blob: new Uint8Array(9) }], namespaces: [] },
    ],
  };
  expect(refused({ "apparmor.img": image("apparmor.img", [apparmor]) })).toEqual([
    ["untrusted-kernel", "root//p"],
  ]);
  const format = { name: "x", enabled: true, interpreter: "/tmp/evil", flags: "CF" };
  const own = mounted({ fstype: 4, mountpoint: "./binfmt" });
  expect(refused({ ...own, "binfmt-misc.img": image("binfmt-misc.img", [format]) })).toEqual([
    ["untrusted-kernel", "/tmp/evil"],
    ["untrusted-mount", "/binfmt"],
  ]);
});

test("untrusted-watch: whoever opens a file waits for the tree", () => {
  const mark = {
    id: 3,
    type: 2,
    mflags: 16,
    mask: 0x10000,
    ignored_mask: 0,
    s_dev: 1,
    me: { mnt_id: 1, path: "/" },
  };
  const ffy = (mask: number) => ({
    type: 13,
    id: 3,
    ffy: { id: 3, flags: 0, fown: noOne, faflags: 4, evflags: 0, mark: [{ ...mark, mask }] },
  });
  expect(refused(files(ffy(0x10000)))).toEqual([["untrusted-watch", "/"]]);
  expect(refused(files(ffy(0x20)))).toEqual([]);
});

test("untrusted-mount: what is of the machine, not what is the tree's", () => {
  const kinds: [object, string[][]][] = [
    [{ fstype: 3 }, [["untrusted-mount", "/m"]]],
    [{ fstype: 2 }, [["untrusted-mount", "/m"]]],
    [{ fstype: 2, flags: 1 }, []],
    [{ fstype: 5 }, []],
    [{ fstype: 1 }, [["untrusted-mount", "/m"]]],
    [{ fstype: 16, fsname: "ext4", source: "/dev/vda" }, [["untrusted-mount", "/dev/vda"]]],
    [{ fstype: 17, options: "lowerdir=/etc" }, [["untrusted-mount", "/m"]]],
  ];
  for (const [given, expected] of kinds)
    expect([given, refused(mounted({ mountpoint: "./m", ...given }))]).toEqual([given, expected]);
});

test("untrusted-write: a deleted file's name leads out of the mounts of the tree's own", () => {
  const name = "/../../../etc/cron.d/evil";
  const reg = { id: 3, flags: 2, pos: 0n, fown: noOne, name, mnt_id: 1, mode: 0o100644 };
  const images = {
    ...mounted(),
    ...files({ type: 1, id: 3, reg }),
    "remap-fpath.img": image("remap-fpath.img", [{ orig_id: 3, remap_id: 1, remap_type: 1 }]),
    "ghost-file-1.img": image("ghost-file-1.img", [{ uid: 0, gid: 0, mode: 0o100644 }]),
  };
  expect(refused(images)).toContainEqual(["untrusted-write", "/etc/cron.d/evil.cr.1.ghost"]);
});

test("a file of the tree's own task in /proc is its own, one behind a link of that is not", () => {
  const file = (name: string) => {
    const reg = { id: 3, flags: 2, pos: 0n, fown: noOne, name, mode: 0o100644 };
    return {
      ...files({ type: 1, id: 3, reg }),
      "fdinfo-2.img": image("fdinfo-2.img", [{ id: 3, flags: 0, type: 1, fd: 3 }]),
    };
  };
  expect(refused(file("/proc/10/comm"))).toEqual([]);
  // Of a tree in a pid namespace of its own the number is a stranger's in this machine's /proc.
  const apart = {
    vm_id: 1,
    files_id: 2,
    fs_id: 3,
    sighand_id: 4,
    pid_ns_id: 11,
    net_ns_id: 2,
    mnt_ns_id: 6,
  };
  const elsewhere = { ...file("/proc/10/comm"), "ids-10.img": image("ids-10.img", [apart]) };
  expect(refused(elsewhere).map(([id]) => id)).toEqual(["untrusted-proc-write"]);
  for (const name of [
    "/proc/10/root/etc/shadow",
    "/proc/10/../sys/kernel/core_pattern",
    "/proc/1/mem",
    "/sys/power/state",
  ])
    expect([name, ...refused(file(name), [], ["/etc", "/proc", "/sys"])].slice(0, 2)).toEqual([
      name,
      [expect.stringMatching(/^untrusted-(proc-)?write$/), expect.anything()],
    ]);
});

test("every check speaks only when it was asked, and of a great number only so often", () => {
  const many = Array.from({ length: 300 }, (_, at) => {
    const reg = { id: at + 3, flags: 2, pos: 0n, fown: noOne, name: `/etc/${at}`, mode: 0o100644 };
    return { type: 1, id: at + 3, reg };
  });
  const fdinfo = many.map(({ id }) => ({ id, flags: 0, type: 1, fd: id }));
  const images = { ...fixture(), ...files(...many), "fdinfo-2.img": image("fdinfo-2.img", fdinfo) };
  expect(refused(images)).toHaveLength(51);
  withContext(images, { host }, (context) => {
    const effects = effectsOf(context);
    expect(effects.filter(({ check }) => check === "untrusted-write")).toHaveLength(300);
    for (const check of catalogue)
      if (check.id.startsWith("untrusted-")) expect(check.run({ ...context, effects })).toEqual([]);
  });
});
