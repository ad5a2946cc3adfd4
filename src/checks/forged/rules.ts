/**
 * What a dump can hold of the fields that CRIU acts on. Each value comes from the kernel or from CRIU itself, so its form
 * is known: one of another form was written by somebody else, to have CRIU, which is root, do something with it. Read in
 * CRIU 3.17 to 4.2 (both the dump's side and what the restore does) and in the kernel where it makes the value.
 */
import type { Message } from "../../image/index.ts";
import {
  cg_controller_entry,
  cg_member_entry,
  cgroup_dir_entry,
  cgroup_prop_entry,
} from "../../image/tables/cgroup.ts";
import { fh_entry, fown_entry, irmap_cache_entry } from "../../image/tables/common.ts";
import * as files from "../../image/tables/files.ts";
import { inventory_entry, plugins_entry } from "../../image/tables/inventory.ts";
import { vma_entry } from "../../image/tables/memory.ts";
import * as namespaces from "../../image/tables/namespaces.ts";
import { file_perms_entry, unix_sk_entry } from "../../image/tables/sockets.ts";
import {
  isAbsolute,
  isCgroupPath,
  isComponent,
  isController,
  isDeviceName,
  isPath,
  isRunId,
  leadsDown,
  procLink,
} from "./names.ts";
import { constants } from "node:fs";

export interface Rule {
  field: string;
  /** Of a repeated field each value is asked for. `entry` is the whole message. */
  holds(value: any, entry: any): boolean;
  /** What a dump writes there. */
  written: string;
  /** What CRIU does with any value. */
  acts: string;
}

const { O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, S_IFBLK, S_IFLNK, S_IFMT, S_IFSOCK } = constants;

const O_PATH = 0x200000;

const O_LINK = O_PATH | constants.O_NOFOLLOW;

/** What open(2) does once is no longer in the flags of an open file (do_dentry_open() of fs/open.c). */
const ONCE = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC;

const flags: Rule = {
  field: "flags",
  holds: (value: number) => (value & ONCE) === 0,
  written: "the kernel reports no O_CREAT, O_EXCL, O_NOCTTY or O_TRUNC of an open file",
  acts: "would open the path with them: O_TRUNC empties any file, O_CREAT makes one",
};

/** VMA_FILE_PRIVATE, VMA_ANON_PRIVATE and VMA_AREA_SHSTK of image.h; mmap(2). */
const PRIVATE = 0x40 | 0x200 | 0x8000;

const MAP_SHARED = 1;

const path = (field: string, acts: string): Rule => ({
  field,
  holds: isAbsolute,
  written: "an absolute path without ..",
  acts,
});

const down = (field: string, acts: string): Rule => ({
  field,
  holds: leadsDown,
  written: "a path without ..",
  acts,
});

/** Files of cgroups that no dump can have read (kernel/cgroup, mm/memcontrol.c, security/device_cgroup.c). */
const WRITE_ONLY = new Set([
  "cgroup.kill",
  "cgroup.event_control",
  "devices.allow",
  "devices.deny",
  "memory.force_empty",
  "memory.reclaim",
]);

/** cgroup.subtree_control of CRIU is put together in a buffer of 1,024 bytes, with a sign and a space for each word. */
const SHORT_LIST = /^[a-z_0-9 ]{0,300}$/;

/** fstype of mnt_entry: images/mnt.proto. */
const CGROUPS = new Set([12, 23]);

/** The root of a cgroup's mount that lies above the cgroup namespace of the dump begins with /.. (cgroup_namespaces(7)). */
const belowNamespace = (root: string) => root.replace(/^(\/\.\.)+(?=\/|$)/, "");

/** UNIX98_PTY_SLAVE_MAJOR */
const PTS = 136;

const SLASH = 0x2f;

/** unix_sk_entry.uflags: a socket outside of the tree. */
const USK_EXTERN = 1;

const word = /^[^/:\n]*$/;

export const rules: readonly (readonly [Message<any>, readonly Rule[]])[] = [
  [
    inventory_entry,
    [
      {
        field: "dump_criu_run_id",
        holds: isRunId,
        written: "a UUID",
        acts: "puts it into a command for nft(8), which changes the firewall as root",
      },
    ],
  ],
  [
    plugins_entry,
    [
      {
        field: "plugins",
        holds: isComponent,
        written: "the name of a plugin",
        acts: "looks for a plugin of that name",
      },
    ],
  ],
  [
    cg_controller_entry,
    [
      {
        field: "cnames",
        holds: isController,
        written: "the name of a controller or of a named hierarchy",
        acts: "makes a directory of that name and gives it to mount(2) as an option: release_agent= there names a program that the kernel runs as root",
      },
    ],
  ],
  [
    cgroup_dir_entry,
    [
      {
        field: "dir_name",
        holds: isCgroupPath,
        written: "a path below the cgroup's hierarchy",
        acts: "makes that directory and gives it the image's owner and mode, wherever it leads",
      },
    ],
  ],
  [
    cgroup_prop_entry,
    [
      {
        field: "name",
        holds: isComponent,
        written: "the name of one file of a cgroup",
        acts: "writes the image's value to that file and gives it the image's owner and mode, wherever it leads",
      },
      {
        field: "name",
        holds: (name: string) => name !== "release_agent",
        written: "no program for the kernel to run: CRIU does not save release_agent",
        acts: "would have the kernel run the program that it names, as root and outside of every container",
      },
      {
        field: "name",
        holds: (name: string) => !WRITE_ONLY.has(name),
        written: "a file that can be read: these can only be written to",
        acts: "writes to it: cgroup.kill ends all that is in the cgroup, with --manage-cgroups=full also in one that is there",
      },
      {
        field: "value",
        holds: (value: string, { name }) =>
          name !== "cgroup.subtree_control" || SHORT_LIST.test(value),
        written: "a short list of controllers in cgroup.subtree_control",
        acts: "copies it into a buffer of 1,024 bytes without looking at its length",
      },
    ],
  ],
  [
    cg_member_entry,
    [
      down("path", "moves tasks into the cgroup.procs that it leads to"),
      {
        field: "cgns_prefix",
        holds: (length: number, { path: whole }) => length <= Buffer.byteLength(whole),
        written: "a length within path",
        acts: "writes a NUL that far behind the path's begin, into its own memory",
      },
    ],
  ],
  [
    files.reg_file_entry,
    [
      flags,
      {
        ...path("name", "opens it"),
        holds: (name: string, { ext }) =>
          (ext ? leadsDown(name) : isPath(name)) && procLink(name) !== "through",
        written:
          "an absolute path in its shortest form, and none that leads through a link of /proc",
      },
      {
        ...path("name", "opens it"),
        holds: (name: string, entry) =>
          procLink(name) !== "end" || (entry.flags & O_LINK) === O_LINK,
        written:
          "what a link of /proc leads to, unless the link itself is open (O_PATH, O_NOFOLLOW)",
      },
      {
        field: "mode",
        holds: (mode: number) => ![S_IFBLK, S_IFSOCK].includes(mode & S_IFMT),
        written: "no block device and no socket: a dump refuses those",
        acts: "opens what is there",
      },
      {
        field: "mode",
        holds: (mode: number, entry) => (mode & S_IFMT) !== S_IFLNK || (entry.flags & O_PATH) !== 0,
        written: "a symbolic link only with O_PATH: nothing else opens one",
        acts: "would open what the link leads to",
      },
    ],
  ],
  [files.pipe_entry, [flags]],
  [files.memfd_file_entry, [flags]],
  [files.tty_file_entry, [flags]],
  [files.ns_file_entry, [flags]],
  [
    files.tty_info_entry,
    [
      {
        field: "rdev",
        holds: (rdev: number, { pty }) =>
          pty === undefined ||
          ((rdev >>> 8) & 0xfff) !== PTS ||
          ((rdev & 0xff) | ((rdev >>> 12) & 0xfff00)) === pty.index,
        written: "the number of the terminal that the index names",
        acts: "makes the terminal of that index, and gives the one at the path the image's owner, mode and settings",
      },
    ],
  ],
  [
    vma_entry,
    [
      {
        field: "fdflags",
        holds: (value: number) => value <= 2,
        written: "O_RDONLY, O_WRONLY or O_RDWR",
        acts: "would open the mapped file with them: O_TRUNC empties any file, O_CREAT makes one",
      },
      {
        field: "status",
        holds: (status: number, vma) => !(status & PRIVATE && vma.flags & MAP_SHARED),
        written: "private or shared, as the flags say",
        acts: "fills what it takes for private with pages of the images: a shared mapping writes them into the file",
      },
    ],
  ],
  [
    files.remap_file_path_entry,
    [
      {
        field: "remap_type",
        holds: (type: number) => type >= 0 && type <= 2,
        written: "LINKED, GHOST or PROCFS",
        acts: "knows no other",
      },
    ],
  ],
  [
    fown_entry,
    [
      {
        field: "signum",
        holds: (signal: number) => signal <= 64,
        written: "a signal's number",
        acts: "asks the kernel to send it",
      },
      {
        field: "pid_type",
        holds: (type: number) => type <= 2,
        written: "F_OWNER_TID, F_OWNER_PID or F_OWNER_PGRP",
        acts: "asks the kernel to signal that one",
      },
    ],
  ],
  [fh_entry, [path("path", "watches what it leads to")]],
  [irmap_cache_entry, [path("path", "takes it for the path of a watched file")]],
  [files.fanotify_mount_mark_entry, [down("path", "marks the mount that it leads to")]],
  [
    unix_sk_entry,
    [
      path("name_dir", "changes into that directory to bind the socket"),
      {
        field: "name",
        holds: (name: Uint8Array) =>
          name.length <= 109 && (name[0] === 0 || [-1, name.length - 1].includes(name.indexOf(0))),
        written: "at most 108 bytes, with a NUL only at its begin or its end",
        acts: "removes the socket of that name, binds it again and gives it the image's owner and mode",
      },
      {
        field: "name",
        holds: ([first = 0]: Uint8Array, { name_dir, uflags }) =>
          first === 0 || first === SLASH || name_dir !== undefined || (uflags & USK_EXTERN) !== 0,
        written: "name_dir with a relative name, the directory that it is bound from",
        acts: "would remove and bind what has that name in CRIU's own working directory",
      },
    ],
  ],
  [
    file_perms_entry,
    [
      {
        field: "mode",
        holds: (mode: number) => (mode & S_IFMT) === S_IFSOCK,
        written: "the mode of a socket",
        acts: "gives it to what stands at the socket's path",
      },
    ],
  ],
  [
    namespaces.mnt_entry,
    [
      down("mountpoint", "joins it to a path of this machine and mounts there"),
      {
        ...down("root", "binds what it leads to below another mount"),
        holds: (root: string, { fstype }) =>
          leadsDown(CGROUPS.has(fstype) ? belowNamespace(root) : root),
      },
      {
        field: "ext_key",
        holds: (_key: string, { ext_mount }) => !ext_mount,
        written: "ext_key or ext_mount, never both",
        acts: "stops with a BUG",
      },
    ],
  ],
  [
    namespaces.binfmt_misc_entry,
    [
      {
        field: "name",
        holds: (name: string) =>
          isComponent(name) && word.test(name) && !["register", "status"].includes(name),
        written: "the name of one file without a colon",
        acts: "writes to the file of that name, and puts it into a rule of colons for the kernel",
      },
      ...["interpreter", "extension", "flags", "magic", "mask"].map((field) => ({
        field,
        holds: (text: string) => (field === "interpreter" ? /^\/[^:\n]*$/ : word).test(text),
        written: "no colon and no end of line",
        acts: "puts it into a rule of colons for the kernel: what the host runs for files of a kind",
      })),
    ],
  ],
  [
    namespaces.net_device_entry,
    [
      {
        field: "name",
        holds: isDeviceName,
        written: "a device's name, as the kernel takes it",
        acts: "joins it to a path of /proc/sys/net and writes there",
      },
    ],
  ],
  [
    files.tunfile_entry,
    [
      {
        field: "netdev",
        holds: isDeviceName,
        written: "a device's name",
        acts: "attaches to that device",
      },
    ],
  ],
  [
    namespaces.aa_namespace,
    [
      {
        field: "name",
        holds: isComponent,
        written: "the name of one AppArmor namespace",
        acts: "makes a directory of that name and loads policies there",
      },
    ],
  ],
  [
    files.ghost_file_entry,
    [
      {
        field: "mode",
        holds: (mode: number) => ![S_IFBLK, S_IFSOCK].includes(mode & S_IFMT),
        written: "no block device and no socket: a dump refuses those",
        acts: "makes it, with the image's owner and mode",
      },
      {
        field: "size",
        holds: (size: bigint, { chunks }) => chunks === true && size < 1n << 63n,
        written: "the size of a file that is saved in chunks",
        acts: "makes the file so long",
      },
    ],
  ],
];
