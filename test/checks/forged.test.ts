/** What no dump can hold: each rule is broken once, and kept once. */
import { describe, expect, test } from "bun:test";
import { constants } from "node:fs";
import { imageForged } from "../../src/checks/images/image-forged.ts";
import { rules } from "../../src/checks/forged/rules.ts";
import { SERVICE_MAGIC } from "../../src/image/formats.ts";
import type { Message } from "../../src/image/index.ts";
import * as cgroup from "../../src/image/tables/cgroup.ts";
import * as common from "../../src/image/tables/common.ts";
import * as files from "../../src/image/tables/files.ts";
import * as inventory from "../../src/image/tables/inventory.ts";
import * as memory from "../../src/image/tables/memory.ts";
import * as namespaces from "../../src/image/tables/namespaces.ts";
import * as sockets from "../../src/image/tables/sockets.ts";
import { image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const tables = [cgroup, common, files, inventory, memory, namespaces, sockets];
const messages = new Map<string, Message<any>>(
  tables
    .flatMap((table) => Object.values(table) as Message<any>[])
    .map((each) => [each.name, each]),
);

/** The least of a message: its required fields, as a dump could write them. */
function least(message: Message<any>): Record<string, any> {
  const plain: Record<string, unknown> = { string: "", bytes: new Uint8Array(), bool: false };
  const value = (name: string, kind: any): unknown => {
    if (typeof kind !== "string") return least(typeof kind === "function" ? kind() : kind);
    if (kind.endsWith("64")) return 0n;
    if (kind === "string" && ["name", "path", "root", "interpreter"].includes(name)) return "/a";
    return plain[kind] ?? 0;
  };
  return Object.fromEntries(
    Object.entries(message.fields as Record<string, any>).flatMap(([name, { label, kind }]) =>
      label === "required" ? [[name, value(name, kind)]] : label === "repeated" ? [[name, []]] : [],
    ),
  );
}

type Wrap = (value: object) => object;
const inside =
  (message: string, field: string, list = false): Wrap =>
  (value) => ({ ...least(messages.get(message)!), [field]: list ? [value] : value });
const after =
  (...wraps: Wrap[]): Wrap =>
  (value) =>
    wraps.reduce((inner, wrap) => wrap(inner), value);
const controllers = inside("cgroup_entry", "controllers", true);
const directories = inside("cg_controller_entry", "dirs", true);
const itself: Wrap = (value) => value;

/** Where each message stands: an image, and what is around it there. */
const places: Record<string, [file: string, wrap: Wrap]> = {
  inventory_entry: ["inventory.img", itself],
  plugins_entry: ["inventory.img", inside("inventory_entry", "plugins_entry")],
  cg_controller_entry: ["cgroup.img", controllers],
  cgroup_dir_entry: ["cgroup.img", after(directories, controllers)],
  cgroup_prop_entry: [
    "cgroup.img",
    after(
      inside("cgroup_dir_entry", "properties", true),
      inside("cgroup_dir_entry", "children", true),
      directories,
      controllers,
    ),
  ],
  cg_member_entry: [
    "cgroup.img",
    after(inside("cg_set_entry", "ctls", true), inside("cgroup_entry", "sets", true)),
  ],
  reg_file_entry: ["reg-files.img", itself],
  pipe_entry: ["pipes.img", itself],
  memfd_file_entry: ["files.img", inside("file_entry", "memfd")],
  tty_file_entry: ["tty.img", itself],
  ns_file_entry: ["ns-files.img", itself],
  tty_info_entry: ["tty-info.img", itself],
  vma_entry: ["vmas-1.img", itself],
  remap_file_path_entry: ["remap-fpath.img", itself],
  fown_entry: ["reg-files.img", inside("reg_file_entry", "fown")],
  fh_entry: ["inotify-wd.img", inside("inotify_wd_entry", "f_handle")],
  irmap_cache_entry: ["irmap-cache.img", itself],
  fanotify_mount_mark_entry: ["fanotify-mark.img", inside("fanotify_mark_entry", "me")],
  unix_sk_entry: ["unixsk.img", itself],
  file_perms_entry: ["unixsk.img", inside("unix_sk_entry", "file_perms")],
  mnt_entry: ["mountpoints-1.img", itself],
  binfmt_misc_entry: ["binfmt-misc.img", itself],
  net_device_entry: ["netdev-1.img", itself],
  tunfile_entry: ["tunfile.img", itself],
  aa_namespace: ["apparmor.img", inside("apparmor_entry", "namespaces", true)],
  ghost_file_entry: ["ghost-file-1.img", itself],
};

const list = (...values: string[]) => values.map((value) => [value]);
const names = ["..", ".", "", "a/b", "../../etc/passwd"];
const once = [0o100, 0o200, 0o400, 0o1000, 0o2102];
const bytes = (text: string) => Buffer.from(text, "latin1");

/** message.field: what a dump writes, what it does not, and other fields of the message for both. */
const cases: [field: string, written: unknown[], forged: unknown[], rest?: object][] = [
  [
    "inventory_entry.dump_criu_run_id",
    ["0f2e9a3c-1b2d-4c5e-8f90-a1b2c3d4e5f6"],
    ["a;flush ruleset;#", "", "../x"],
  ],
  ["plugins_entry.plugins", list("cuda_plugin"), list("../x", "")],
  [
    "cg_controller_entry.cnames",
    [[""], ["cpu", "cpuacct"], ["name=systemd"]],
    list("..", "a/b", "name=..", "name=a,release_agent=/x", "cpu,", "name="),
  ],
  [
    "cgroup_dir_entry.dir_name",
    ["", "system.slice/a.service", "a b"],
    ["..", "a/../../b", "/a", "a//b", "a/"],
  ],
  [
    "cgroup_prop_entry.name",
    ["memory.max", "hugetlb.2MB.limit_in_bytes"],
    [...names, "release_agent", "cgroup.kill", "devices.allow"],
  ],
  [
    "cgroup_prop_entry.value",
    ["cpu memory pids", ""],
    ["a ".repeat(600), "cpu\nx"],
    { name: "cgroup.subtree_control" },
  ],
  ["cg_member_entry.path", ["/", "/a/b c"], ["/../x", "/a/../../b"]],
  ["cg_member_entry.cgns_prefix", [0, 2], [3, 4_000_000], { path: "/a" }],
  ["reg_file_entry.flags", [0, 0o2102001 & ~0o1700, 0o100000], once],
  [
    "reg_file_entry.name",
    ["/", "/a/b", "/a/..b", "/proc/10/", "/proc/10/fd", "/dev/fd"],
    [
      "/a//b",
      "/a/./b",
      "/a/.",
      "/proc//self/root/etc",
      "/proc/./1/cwd/x",
      "/dev/fd/3/x",
      "/dev/stdin/x",
      "/proc/self/root",
      "a",
      "/a/../b",
      "/..",
      "/proc/10/root/etc/x",
      "/proc/self/task/1/fd/3/x",
      `/${"a".repeat(5000)}`,
    ],
  ],
  [
    "reg_file_entry.name",
    ["/proc/10/root", "/proc/10/fd/3"],
    [],
    { flags: 0o10000000 | constants.O_NOFOLLOW },
  ],
  ["reg_file_entry.mode", [0o100644, 0o040755, 0o020666, 0o010600], [0o060660, 0o140755]],
  ["reg_file_entry.mode", [0o120777], [], { flags: 0o10000000 }],
  ["reg_file_entry.mode", [], [0o120777], { flags: 0 }],
  ["pipe_entry.flags", [0o4001], once],
  ["memfd_file_entry.flags", [0o100002], once],
  ["tty_file_entry.flags", [2], once],
  ["ns_file_entry.flags", [0], once],
  ["tty_info_entry.rdev", [0x8803, 0x502], [0x8804, 0x108803], { pty: { index: 3 } }],
  ["tty_info_entry.rdev", [0x401], []],
  ["vma_entry.fdflags", [0, 1, 2], [0o1001, 0o101, 3]],
  ["vma_entry.status", [0x41, 0x201], [], { flags: 2 }],
  ["vma_entry.status", [0x81, 0x101, 0x2000], [0x41, 0x201, 0x8001], { flags: 1 }],
  ["remap_file_path_entry.remap_type", [0, 1, 2], [3, -1]],
  ["fown_entry.signum", [0, 29, 64], [65]],
  ["fown_entry.pid_type", [0, 1, 2], [3]],
  ["fh_entry.path", ["/a/b"], ["a", "/a/../../b"]],
  ["irmap_cache_entry.path", ["/a/b"], ["a", "/.."]],
  ["fanotify_mount_mark_entry.path", ["a/b", ""], ["../a"]],
  ["unix_sk_entry.name_dir", ["/run"], ["run", "/run/../etc"]],
  [
    "unix_sk_entry.name",
    [bytes(""), bytes("/run/x\0"), bytes("\0abstract\0x")],
    [bytes("/run/x\0/y\0"), bytes("a".repeat(110)), bytes("../x\0")],
  ],
  ["unix_sk_entry.name", [bytes("../x\0")], [], { name_dir: "/run" }],
  ["unix_sk_entry.name", [bytes("x\0")], [], { uflags: 1 }],
  ["file_perms_entry.mode", [0o140755], [0o100755, 0o755]],
  ["mnt_entry.mountpoint", ["./", "./dev/pts", "/"], ["./../etc", "./a/../../b"]],
  ["mnt_entry.root", ["/", "net:[4026531840]", "/a//deleted"], ["/a/../..", "/.."]],
  ["mnt_entry.root", ["/../.."], ["/a/../.."], { fstype: 23 }],
  ["mnt_entry.ext_key", ["a"], [], {}],
  ["mnt_entry.ext_key", [], ["a"], { ext_mount: true }],
  ["binfmt_misc_entry.name", ["python3"], [...names, "register", "status", "a:b"]],
  ["binfmt_misc_entry.interpreter", ["/usr/bin/python3"], ["python3", "/a:F", "/a\n:x"]],
  ["binfmt_misc_entry.extension", ["py"], ["a/b", "a:b"]],
  ["binfmt_misc_entry.flags", ["OCF"], ["O:C"]],
  ["binfmt_misc_entry.magic", ["7f454c46"], ["7f:"]],
  ["binfmt_misc_entry.mask", ["ffff"], [":"]],
  ["net_device_entry.name", ["lo", "eth0.1"], [...names, "a b", "a:1", "a".repeat(16)]],
  ["tunfile_entry.netdev", ["tun0"], ["../x", "a b"]],
  ["aa_namespace.name", ["lxd-a"], names],
  ["ghost_file_entry.mode", [0o100600, 0o020666], [0o060660, 0o140755]],
  ["ghost_file_entry.size", [5n], [1n << 63n], { chunks: true }],
  ["ghost_file_entry.size", [], [5n], {}],
];

function found(field: string, value: unknown, rest: object): number {
  const [name, key] = field.split(".") as [string, string];
  const [file, wrap] = places[name]!;
  const made = image(file, [wrap({ ...least(messages.get(name)!), ...rest, [key]: value })]);
  if (file === "irmap-cache.img")
    new DataView(made.buffer, made.byteOffset).setUint32(0, SERVICE_MAGIC, true);
  return withContext({ [file]: made }, {}, (context) => {
    const told = [...imageForged.run(context)].filter(({ subject }) => subject === field);
    for (const { severity, image: where, message } of told) {
      expect(severity).toBe("blocker");
      expect(where).toStartWith(file);
      expect(message).toContain(`${field} is `);
    }
    expect(context.checkpoint.faults.filter((fault) => fault.file === file)).toEqual([]);
    return told.length;
  });
}

describe("a value that no dump writes", () => {
  for (const [field, written, forged, rest = {}] of cases)
    test(`${field} ${JSON.stringify(rest)}`, () => {
      for (const value of written)
        expect([field, value, found(field, value, rest)]).toEqual([field, value, 0]);
      for (const value of forged)
        expect([field, value, found(field, value, rest)]).not.toEqual([field, value, 0]);
    });
});

test("of an open file there is what its type has, and nothing else", () => {
  const reg = least(files.reg_file_entry);
  const fifo = least(files.fifo_entry);
  for (const [entry, count] of [
    [{ type: 1, reg }, 0],
    [{ type: 3, fifo }, 0],
    [{ type: 1, reg, fifo }, 1],
    [{ type: 3, reg, fifo }, 1],
    [{ type: 3, reg }, 1],
  ] as const) {
    const made = image("files.img", [{ id: 0, ...entry }]);
    const told = withContext({ "files.img": made }, {}, (context) => [...imageForged.run(context)]);
    expect(told.map(({ subject }) => subject)).toEqual(Array(count).fill("file_entry.type"));
  }
});

test("every rule is broken by a case above", () => {
  const tried = new Set(cases.map(([field]) => field));
  const untried = rules.flatMap(([{ name }, of]) =>
    of.map(({ field }) => `${name}.${field}`).filter((field) => !tried.has(field)),
  );
  expect(untried).toEqual([]);
});

test("every name, path and flag of the tables has a rule, or a reason why none", () => {
  const ruled = new Set(
    rules.flatMap(([{ name }, of]) => of.map(({ field }) => `${name}.${field}`)),
  );
  const open = [...messages.values()].flatMap(({ name, fields }) =>
    Object.entries(fields as Record<string, { kind: unknown }>)
      .filter(([field, { kind }]) => kind === "string" || /name$|path|flags$|^mode$/.test(field))
      .map(([field]) => `${name}.${field}`)
      .filter((field) => !ruled.has(field)),
  );
  expect(open.toSorted()).toEqual(Object.values(harmless).flat().toSorted());
});

/** What CRIU does with any value of these. */
const harmless: Record<string, string[]> = {
  "sets them by fcntl(2) or gives them to the call that makes the descriptor; no path is opened": [
    "bpfmap_file_entry.flags",
    "eventfd_file_entry.flags",
    "eventpoll_file_entry.flags",
    "fanotify_file_entry.evflags",
    "fanotify_file_entry.faflags",
    "fanotify_file_entry.flags",
    "fdinfo_entry.flags",
    "inet_sk_entry.flags",
    "inotify_file_entry.flags",
    "netlink_sk_entry.flags",
    "packet_sock_entry.flags",
    "pidfd_entry.flags",
    "signalfd_entry.flags",
    "timerfd_entry.flags",
    "timerfd_entry.settime_flags",
    "unix_sk_entry.flags",
  ],
  "is an argument of a call on an object of the tree's own (map, memfd, IPC object, mapping, device)":
    [
      "autofs_entry.mode",
      "bpfmap_file_entry.map_flags",
      "bpfmap_file_entry.map_name",
      "fanotify_mark_entry.mflags",
      "inet_sk_entry.ifname",
      "ipc_desc_entry.mode",
      "macvlan_link_entry.flags",
      "macvlan_link_entry.mode",
      "memfd_inode_entry.mode",
      "memfd_inode_entry.name",
      "net_device_entry.flags",
      "pagemap_entry.flags",
      "sit_entry.encap_flags",
      "sit_entry.flags",
      "sk_opts_entry.so_bound_dev",
      "tun_link_entry.flags",
      "unix_sk_entry.uflags",
      "vma_entry.flags",
    ],
  "is the value of a file whose name CRIU knows, in a namespace of the tree's own": [
    "sysctl_entry.sarg",
    "utsns_entry.domainname",
    "utsns_entry.nodename",
  ],
  "is compared with what the caller gave, or printed": [
    "aa_policy.name",
    "cg_member_entry.name",
    "fdinfo_entry.xattr_security_selinux",
    "netns_entry.ext_key",
    "pidns_entry.ext_key",
  ],
  "the target of a deleted link, which is opened with O_PATH only (a rule of reg_file_entry.mode)":
    ["ghost_file_entry.symlnk_target"],
  "the owner's right on a cgroup, which a dump reads from one: any can be": ["cgroup_perms.mode"],
  "is given to mount(2): other checks tell what of the host is mounted": [
    "mnt_entry.flags",
    "mnt_entry.fsname",
    "mnt_entry.options",
    "mnt_entry.sb_flags",
    "mnt_entry.source",
  ],
};
