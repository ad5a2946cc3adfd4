/** Which file name holds what: magic, messages, and data between them (CRIU: criu/image-desc.c, criu/include/magic.h). */
import { cgroup_entry } from "./tables/cgroup.ts";
import { cpuinfo_entry } from "./tables/cpuinfo.ts";
import { irmap_cache_entry } from "./tables/common.ts";
import * as files from "./tables/files.ts";
import { inventory_entry, stats_entry } from "./tables/inventory.ts";
import { mm_entry, pagemap_entry, pagemap_head, vma_entry } from "./tables/memory.ts";
import * as namespaces from "./tables/namespaces.ts";
import * as process from "./tables/process.ts";
import * as sockets from "./tables/sockets.ts";
import type { Infer, Message } from "./schema.ts";

/** Bytes that follow an entry: a number, or `rest` for all up to the end of the file. */
type Payload = number | "rest" | { messages: number };

export interface Format {
  magic: number;
  /** The table of every entry, but for the first where that has one of its own. */
  entry: Message<any>;
  head?: Message<any>;
  /** What follows an entry that is no message. */
  payload?(entry: any, index: number): Payload;
  /** Bytes in memory that an entry stands for beyond its own: images that are looked for, whether they are there or not. */
  weight?(entry: any): number;
  /** stats-*.img and irmap-cache.img have another first magic. */
  service?: boolean;
  /** Exactly one entry is read; a file without it is an error to CRIU. */
  single?: boolean;
  /** There is a first entry at least. */
  needed?: boolean;
  /** CRIU reads to the end of the file and says nothing when there is no entry; often it crashes later. */
  silent?: boolean;
}

const entries = <M extends Message<any>>(magic: number, entry: M) => ({ magic, entry });
const one = <M extends Message<any>>(magic: number, entry: M) => ({ magic, entry, single: true });
const silent = <F extends Format>(format: F) => ({ ...format, silent: true });

function withData<M extends Message<any>>(
  magic: number,
  entry: M,
  payload: (entry: Infer<M>) => Payload,
) {
  return { magic, entry, payload };
}

/** Numbers with an upper bound that a file's size can be compared with: hostile ones do not become negative. */
const upTo = (size: number | bigint): number => Number(size);
const round = (size: number | bigint, to: number): number => Math.ceil(Number(size) / to) * to;

const pagemap = { needed: true, magic: 0x56084025, head: pagemap_head, entry: pagemap_entry };

/** A ghost file is its entry and its content, or chunks of content each behind an entry of its own. */
const ghostFile = {
  needed: true,
  magic: 0x52583605,
  head: files.ghost_file_entry,
  entry: files.ghost_chunk_entry,
  payload: (entry: any, index: number): Payload =>
    index > 0 ? upTo(entry.len) : entry.chunks ? 0 : "rest",
};

const exact = {
  inventory: one(0x58313116, inventory_entry),
  pstree: {
    ...entries(0x50273030, process.pstree_entry),
    needed: true,
    silent: true,
    weight: ({ threads }: Infer<typeof process.pstree_entry>) => 4096 + 512 * new Set(threads).size,
  },
  // Where it has none, CRIU goes on with images from before 3.3, one for each kind of file, and crashes at the last.
  files: { ...entries(0x56303138, files.file_entry), needed: true, silent: true },
  "reg-files": entries(0x50363636, files.reg_file_entry),
  "ext-files": entries(0x59255641, files.ext_file_entry),
  "ns-files": entries(0x61394011, files.ns_file_entry),
  eventfd: entries(0x44523722, files.eventfd_file_entry),
  eventpoll: entries(0x45023858, files.eventpoll_file_entry),
  "eventpoll-tfd": entries(0x44433746, files.eventpoll_tfd_entry),
  signalfd: entries(0x57323820, files.signalfd_entry),
  inotify: entries(0x48424431, files.inotify_file_entry),
  "inotify-wd": entries(0x54562009, files.inotify_wd_entry),
  fanotify: entries(0x55096122, files.fanotify_file_entry),
  "fanotify-mark": entries(0x56506035, files.fanotify_mark_entry),
  pipes: entries(0x56513555, files.pipe_entry),
  "pipes-data": withData(0x56453709, files.pipe_data_entry, (entry) => upTo(entry.bytes)),
  fifo: entries(0x58364939, files.fifo_entry),
  "fifo-data": withData(0x59333054, files.pipe_data_entry, (entry) => upTo(entry.bytes)),
  unixsk: entries(0x54373943, sockets.unix_sk_entry),
  inetsk: entries(0x56443851, sockets.inet_sk_entry),
  packetsk: entries(0x60454618, sockets.packet_sock_entry),
  netlinksk: entries(0x58005614, sockets.netlink_sk_entry),
  "sk-queues": withData(0x56264026, sockets.sk_packet_entry, (entry) => upTo(entry.length)),
  "remap-fpath": entries(0x59133954, files.remap_file_path_entry),
  memfd: entries(0x48453499, files.memfd_inode_entry),
  "binfmt-misc": entries(0x67343323, namespaces.binfmt_misc_entry),
  tty: entries(0x59433025, files.tty_file_entry),
  "tty-info": entries(0x59453036, files.tty_info_entry),
  "tty-data": entries(0x59413026, files.tty_data_entry),
  filelocks: entries(0x54323616, files.file_lock_entry),
  tunfile: entries(0x57143751, files.tunfile_entry),
  cgroup: silent(one(0x59383330, cgroup_entry)),
  timerfd: entries(0x50493712, files.timerfd_entry),
  cpuinfo: one(0x61404013, cpuinfo_entry),
  seccomp: silent(one(0x64413049, process.seccomp_entry)),
  "bpfmap-file": entries(0x57506142, files.bpfmap_file_entry),
  "bpfmap-data": withData(
    0x64324033,
    files.bpfmap_data_entry,
    (entry) => upTo(entry.keys_bytes) + upTo(entry.values_bytes),
  ),
  apparmor: silent(one(0x59423047, namespaces.apparmor_entry)),
  pidfd: entries(0x54435556, files.pidfd_entry),
  "stats-dump": { ...one(0x57093306, stats_entry), service: true },
  "stats-restore": { ...one(0x57093306, stats_entry), service: true },
  "irmap-cache": { ...entries(0x57004059, irmap_cache_entry), service: true },
} satisfies Record<string, Format>;

/** CRIU names these files without an ending. */
export const statisticsFormat: Format = exact["stats-dump"];

const numbered = {
  fdinfo: entries(0x56213732, files.fdinfo_entry),
  pagemap,
  "pagemap-shmem": pagemap,
  core: one(0x55053847, process.core_entry),
  ids: silent(one(0x54432030, process.task_kobj_ids_entry)),
  mm: silent(one(0x57492820, mm_entry)),
  vmas: entries(0x54123737, vma_entry),
  sigacts: entries(0x55344201, process.sa_entry),
  itimers: entries(0x57464056, process.itimer_entry),
  "posix-timers": entries(0x52603957, process.posix_timer_entry),
  creds: one(0x54023547, process.creds_entry),
  "signal-s": entries(0x59255647, process.siginfo_entry),
  "signal-p": entries(0x59255647, process.siginfo_entry),
  rlimit: entries(0x57113925, process.rlimit_entry),
  fs: silent(one(0x51403912, files.fs_entry)),
  utsns: one(0x54473203, namespaces.utsns_entry),
  timens: one(0x43114433, namespaces.timens_entry),
  pidns: silent(one(0x61157326, namespaces.pidns_entry)),
  userns: one(0x55474906, namespaces.userns_entry),
  netns: one(0x55933752, namespaces.netns_entry),
  netdev: entries(0x57373951, namespaces.net_device_entry),
  mountpoints: entries(0x55563928, namespaces.mnt_entry),
  "binfmt-misc": entries(0x67343323, namespaces.binfmt_misc_entry),
  autofs: entries(0x49353943, namespaces.autofs_entry),
  "ipcns-var": one(0x53115007, namespaces.ipc_var_entry),
  "ipcns-shm": withData(0x46283044, namespaces.ipc_shm_entry, (entry) =>
    entry.in_pagemaps ? 0 : round(entry.size, 4),
  ),
  "ipcns-sem": withData(0x59573019, namespaces.ipc_sem_entry, (entry) => round(entry.nsems * 2, 8)),
  "ipcns-msg": withData(0x55453737, namespaces.ipc_msg_entry, (entry) => ({
    messages: entry.qnum,
  })),
} satisfies Record<string, Format>;

/** Named by an inode in hexadecimal. */
const hexadecimal = {
  "ghost-file": ghostFile,
  "tcp-stream": {
    ...withData(
      0x51465506,
      sockets.tcp_stream_entry,
      (entry) => upTo(entry.inq_len) + upTo(entry.outq_len),
    ),
    single: true,
  },
} satisfies Record<string, Format>;

/** The first magic of service images, and of all others but the inventory, since image version 1.1. */
export const SERVICE_MAGIC = 0x55105940;
export const COMMON_MAGIC = 0x54564319;

const formats = [exact, numbered, hexadecimal].map(
  (table) => new Map<string, Format>(Object.entries(table)),
);

/** The format of an image by its file name; undefined for raw data (pages, archives, ip and nft dumps) and what CRIU does not know. */
export function formatOf(file: string): Format | undefined {
  if (!file.endsWith(".img")) return undefined;
  const [whole, numberedAs, hexadecimalAs] = formats;
  const dash = file.lastIndexOf("-");
  const stem = dash < 0 ? "" : file.slice(0, dash);
  const numbers = numberedAs!.get(stem);
  if (numbers !== undefined && isNumber(file, dash + 1, 10)) return numbers;
  const hexadecimals = hexadecimalAs!.get(stem);
  if (hexadecimals !== undefined && isNumber(file, dash + 1, 16)) return hexadecimals;
  return whole!.get(file.slice(0, -4));
}

/** The table of entry number `index`. */
export const tableAt = ({ head, entry }: Format, index: number): Message<any> =>
  (index === 0 ? head : undefined) ?? entry;

type Tables<F extends Format> = F["entry"] | (F extends { head: infer Head } ? Head : never);
type Named<Kinds extends Record<string, Format>, Number extends string> = {
  [Kind in keyof Kinds & string as `${Kind}-${Number}.img`]: Tables<Kinds[Kind]>;
};
type ByName = {
  [Kind in keyof typeof exact as `${Kind}.img`]: Tables<(typeof exact)[Kind]>;
} & Named<typeof numbered, `${number}`> &
  Named<typeof hexadecimal, string>;

/** The tables of an image's entries by its name; any, where the compiler knows no more of that than that it is a text. */
export type TableOf<File extends string> = string extends File
  ? Message<any>
  : { [Name in keyof ByName]: File extends Name ? ByName[Name] : never }[keyof ByName];

/** Whether there are digits, and only those, from `at` to the ending: there are thousands of such names. */
function isNumber(file: string, at: number, base: 10 | 16): boolean {
  const end = file.length - 4;
  for (let i = at; i < end; i += 1) {
    const code = file.charCodeAt(i);
    const digit = code >= 48 && code <= 57;
    if (!digit && !(base === 16 && code >= 97 && code <= 102)) return false;
  }
  return end > at;
}
