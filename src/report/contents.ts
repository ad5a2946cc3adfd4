/** What is in a checkpoint, as data and as a person wants to see it. */
import type { Checkpoint, FileEntry, SkPacketEntry, Task } from "../image/index.ts";
import { userns_entry } from "../image/tables/namespaces.ts";
import { policyName } from "../sys/sched.ts";
import { fromBytes } from "../sys/text.ts";
import { harmless, printText } from "./terminal.ts";

interface ShownTask {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  state: string;
  command: string;
  program: string | null;
  cwd: string | null;
  threads: { tid: number; name: string; policy: string; priority: number; nice: number }[];
  files: { fd: number; what: string }[];
}

interface Contents {
  images: string;
  /** img_version of the inventory. */
  format: number | null;
  /** Bytes of memory in the images. */
  memory: number;
  /** Some of it is compressed, here or in an older checkpoint that this one builds on. */
  compressed: boolean;
  tasks: ShownTask[];
  mounts: { mountpoint: string; source: string; external: string | null }[];
  cgroups: string[];
  /** Of user namespaces of the tree's own: NAME: INTERPRETER (binfmt_misc). */
  binary_formats: string[];
}

/** Gather it from every image that is needed for it. `images`: as the user named them. */
export function contentsOf(checkpoint: Checkpoint, images: string): Contents {
  const mntNs = checkpoint.root?.ids?.mnt_ns_id;
  const queues = Map.groupBy(checkpoint.socketQueues, ({ id_for }) => id_for);
  const ownMounts = mntNs !== undefined && mntNs !== checkpoint.inventory?.root_ids?.mnt_ns_id;
  return {
    images,
    format: checkpoint.inventory?.img_version ?? null,
    memory: checkpoint.pages().reduce((sum, use) => sum + (use.actual ?? 0), 0),
    compressed: checkpoint.packed !== undefined,
    tasks: checkpoint.tasks.map((task) => taskOf(checkpoint, queues, task)),
    mounts: (ownMounts ? checkpoint.mounts(mntNs) : []).map(({ mountpoint, source, ext_key }) => ({
      mountpoint,
      source,
      external: ext_key ?? null,
    })),
    cgroups: [
      ...new Set(
        (checkpoint.cgroup?.sets ?? []).flatMap((set) =>
          set.ctls.map((ctl) => `${ctl.name === "" ? "cgroup2" : ctl.name}:${ctl.path}`),
        ),
      ),
    ],
    binary_formats: [...checkpoint.files]
      .filter((file) => /^userns-\d+\.img$/.test(file))
      .flatMap((file) => checkpoint.values(file, userns_entry))
      .flatMap(({ binfmt_misc }) => binfmt_misc)
      .map(({ name, interpreter }) => `${name}: ${interpreter}`),
  };
}

function taskOf(
  checkpoint: Checkpoint,
  queues: ReadonlyMap<number, readonly SkPacketEntry[]>,
  task: Task,
): ShownTask {
  const path = (id: number | undefined) =>
    id === undefined ? null : (checkpoint.openFiles.get(id)?.reg?.name ?? null);
  return {
    pid: task.pid,
    ppid: task.ppid,
    pgid: task.pgid,
    sid: task.sid,
    state: task.state,
    command: task.core?.tc?.comm ?? "?",
    program: path(task.mm?.exe_file_id),
    cwd: path(task.fs?.cwd_id),
    threads: task.threads.map(({ tid, core }) => ({
      tid,
      name: core?.thread_core?.comm ?? task.core?.tc?.comm ?? "?",
      policy: policyName(core?.thread_core?.sched_policy ?? 0),
      priority: core?.thread_core?.sched_prio ?? 0,
      nice: core?.thread_core?.sched_nice ?? 0,
    })),
    files: task.fds.map(({ fd, id }) => {
      const file = checkpoint.openFiles.get(id);
      const sent = (file?.usk && queues.get(id)) ?? [];
      return { fd, what: `${describe(file)}${ownerOf(file)}${sendersOf(sent)}` };
    }),
  };
}

/** Whose it is, where that was saved and is not root. */
function ownerOf(file: FileEntry | undefined): string {
  const { uid = 0, gid }: { uid?: number; gid?: number } = file?.pipe ?? file?.isk ?? {};
  if (uid === 0 && !gid) return "";
  return `, of ${uid}${gid === undefined ? "" : `:${gid}`}`;
}

/** Who sent what waits in a Unix socket, where that was saved. */
function sendersOf(packets: readonly SkPacketEntry[]): string {
  const senders = packets.flatMap(({ ucred }) =>
    ucred === undefined ? [] : [`${ucred.pid} as ${ucred.uid}:${ucred.gid}`],
  );
  const waiting = packets.length === 0 ? "" : `, ${packets.length} waiting`;
  return senders.length === 0 ? waiting : `${waiting}, from ${[...new Set(senders)].join(", ")}`;
}

/** Names of members of file_entry that need no more words. */
const kinds = {
  pipe: "pipe",
  efd: "eventfd",
  epfd: "epoll",
  sgfd: "signalfd",
  tfd: "timerfd",
  ify: "inotify",
  ffy: "fanotify",
  nlsk: "netlink socket",
  psk: "packet socket",
  tty: "tty",
  memfd: "memfd",
  tunf: "tun",
  bpf: "bpf map",
  pidfd: "pidfd",
  fifo: "fifo",
  nsf: "namespace",
  ext: "external file",
} as const;

function describe(file: FileEntry | undefined): string {
  if (file === undefined) return "not in files.img";
  if (file.reg !== undefined) return file.reg.name;
  if (file.usk !== undefined) {
    const name = fromBytes(file.usk.name).replace(/^\0/, "@").replace(/\0.*$/s, "");
    const state = file.usk.state === 10 ? "listening" : file.usk.state === 1 ? "connected" : "open";
    return `unix socket${name === "" ? "" : ` ${name}`}, ${state}`;
  }
  if (file.isk !== undefined)
    return `${file.isk.proto === 6 ? "tcp" : file.isk.proto === 17 ? "udp" : "inet"} socket, port ${file.isk.src_port}`;
  const kind = Object.keys(kinds).find((key) => file[key as keyof typeof kinds] !== undefined);
  return kind === undefined ? "unknown kind" : kinds[kind as keyof typeof kinds];
}

/** The tree, indented as it forks, each task with its threads of note and its files. */
export function printContents(contents: Contents): void {
  const lines = [
    `${contents.images}: image format ${contents.format ?? "unknown"}, ${(contents.memory / 1048576).toFixed(1)} MiB of memory${contents.compressed ? ", compressed" : ""}`,
  ];
  const depth = new Map<number, number>();
  for (const task of contents.tasks) {
    const level = (depth.get(task.ppid) ?? -1) + 1;
    depth.set(task.pid, level);
    const indent = "  ".repeat(Math.min(level, 20));
    lines.push(
      `${indent}${task.pid} ${task.command} (${task.state}) group ${task.pgid} session ${task.sid}`,
    );
    if (task.program !== null) lines.push(`${indent}    program ${task.program}, in ${task.cwd}`);
    for (const thread of task.threads) {
      const plain = thread.policy === "SCHED_OTHER" && thread.nice === 0;
      if (thread.tid === task.pid && plain) continue;
      lines.push(
        `${indent}    thread ${thread.tid} ${thread.name}${plain ? "" : `: ${thread.policy} priority ${thread.priority} nice ${thread.nice}`}`,
      );
    }
    for (const file of task.files)
      lines.push(`${indent}    ${String(file.fd).padStart(3)}  ${file.what}`);
  }
  for (const mount of contents.mounts)
    lines.push(
      `mount   ${mount.mountpoint} from ${mount.source}${mount.external === null ? "" : ` (external ${mount.external})`}`,
    );
  for (const cgroup of contents.cgroups) lines.push(`cgroup  ${cgroup}`);
  for (const format of contents.binary_formats) lines.push(`format  ${format}`);
  printText(lines.map(harmless).join("\n"));
}
