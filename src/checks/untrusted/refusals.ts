/** Under --untrusted: each effect that reaches beyond what the caller allowed is a finding that says what would happen. */
import type { Effect, Refusal, Verb } from "../effects/effect.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Finding, Proof, Remedy } from "../finding.ts";

interface Page {
  id: Refusal;
  title: string;
  reads: string;
  why: string;
  /** What a person can do beside going on with --ignore. */
  remedy: Remedy | string;
  /** Left out: bare CRIU was seen to do the harm. */
  proof?: Proof;
}

const allow =
  "--allow-write names a directory below which it may; or give the tree a root of its own";

const pages: readonly Page[] = [
  {
    id: "untrusted-write",
    title: "An untrusted tree would write to a file of this machine",
    reads:
      "files.img, mm-*.img, remap-fpath.img, cgroup.img; where each path leads on this machine",
    why:
      "CRIU opens as root what the images name, with the flags that they name: a descriptor open for writing, or a shared mapping, is the " +
      "tree's from then on, whoever it runs as. A flag can empty a file at once, and deleted files and cgroups are made wherever the images say. " +
      "With --allow-write=DIR what lies below DIR, links followed, is allowed.",
    remedy: allow,
  },
  {
    id: "untrusted-delete",
    title: "An untrusted tree's restore would delete a file of this machine",
    reads: "remap-fpath.img, files.img, ghost-file-*.img; where each path leads on this machine",
    why:
      "CRIU removes the name from which a deleted file was linked back, once the restore succeeded, and an empty directory that stands where " +
      "a deleted one was. The images say what name that is.",
    remedy: allow,
  },
  {
    id: "untrusted-read",
    title: "An untrusted tree would read a file that its user may not read",
    reads:
      "files.img, credentials in core-*.img; mode and owner of each file; images that are links",
    why:
      "CRIU opens files as root, and the task keeps the descriptor: one that runs as another user can read what the file's mode keeps from it. " +
      "An image that is a link out of the images' directory is read as root too: as pages, any file becomes the tree's memory.",
    remedy:
      "take the file away for the restore, or --allow-write a directory that holds it; of an image, copy what the link leads to",
  },
  {
    id: "untrusted-proc-write",
    title: "An untrusted tree would write to the kernel's settings",
    reads: "files.img, mountpoints-*.img; the file system of each path",
    why:
      "Files of /proc and /sys are the kernel's own switches, for the whole machine: a program that it runs as root (core_pattern, " +
      "modprobe, uevent_helper), memory of others, drivers. No directory of --allow-write opens them.",
    remedy: "restore it where that kernel is nobody else's: in a virtual machine",
  },
  {
    id: "untrusted-device",
    title: "An untrusted tree would hold a device of this machine",
    reads: "files.img, tty-info.img, ghost-file-*.img; the number of each device",
    why:
      "A disk, memory or another's terminal in the tree's hands goes past every file's permissions; a device that was deleted, CRIU makes " +
      "again with the number that the images name. /dev/null, zero, full, random, urandom, tty, ptmx and the tree's own terminals are no finding.",
    remedy:
      "restore it where there is no such device: in a virtual machine, or a container without it",
  },
  {
    id: "untrusted-setuid",
    title: "A program of an untrusted tree would carry somebody else's rights",
    reads: "files.img, mm-*.img, ghost-file-*.img; the mode of each program",
    why:
      "CRIU makes a deleted file again with the owner and mode that the images name: one that is set-user-ID root makes everybody root who " +
      "can execute it, be it through /proc/PID/fd. A task whose program is such a file runs it without having been allowed to start it.",
    remedy: "restore it in a user namespace of its own, where root is nobody on this machine",
  },
  {
    id: "untrusted-socket",
    title: "An untrusted tree would stand in for a service of this machine, or talk to one as root",
    reads: "unix sockets in files.img; whose each socket is: sock_diag(7), /proc/net/unix",
    why:
      "CRIU removes a socket's file and binds the tree's in its place, and connects sockets to others as root. Whoever has docker.sock, " +
      "systemd's or the message bus's is obeyed by programs of root's; whoever is connected to them as root, they obey.",
    remedy: "stop here unless the tree is that service; or --allow-write its directory",
  },
  {
    id: "untrusted-signal",
    title: "An untrusted tree could signal a process of this machine",
    reads:
      "owners (fown) and pidfd entries in files.img, the tree's pids, process groups and threads",
    why:
      "A file's owner gets a signal, any that the images name, whenever there is something to read: as if the user had sent it that the images " +
      "name, root too. A pidfd of another process is as good. In a pid namespace of its own no number is a stranger's.",
    remedy:
      "stop here: no dump of a tree alone has such; or restore it in a pid namespace of its own",
  },
  {
    id: "untrusted-cgroup",
    title: "An untrusted tree would join or change a cgroup of others",
    reads: "cgroup.img, cg_set in core-*.img; /proc/self/cgroup, the cgroups that are there",
    why:
      "In another service's cgroup the tree takes of that one's memory and processor time, leaves the limits of the caller, and is stopped " +
      "and killed with it; a cgroup's new owner may move and freeze all that is in it.",
    remedy: {
      kind: "option",
      text: "let the tree stay in the cgroup that the restore is run from",
      command: null,
      option: "--manage-cgroups=ignore",
      automatic: false,
    },
  },
  {
    id: "untrusted-sched",
    title: "An untrusted tree would be scheduled before others",
    reads: "scheduling in core-*.img; the nice value of recriu",
    why: "A thread of a real-time policy that never sleeps takes a processor from all ordinary ones; a lower nice value than the caller's takes its share from others.",
    remedy: "restore it in a container or unit without CAP_SYS_NICE",
  },
  {
    id: "untrusted-limit",
    title: "An untrusted tree would have more of this machine than the caller",
    reads: "rlimits and oom_score_adj in core-*.img; those of recriu",
    why: "The images name the limits of each task, and how late it is killed when memory runs short. Root's CRIU gives both, beyond what the caller has.",
    remedy: "raise the limits of the caller to these, or restore it without CAP_SYS_RESOURCE",
  },
  {
    id: "untrusted-network",
    proof: "images",
    title: "An untrusted tree would hold this machine's network",
    reads: "inet, packet and tun entries in files.img, netdev-*.img; --external, --veth-pair",
    why: "A packet or raw socket in this machine's network namespace reads and forges what everybody sends; a tun or veth device is one more way into its network.",
    remedy:
      "restore it in a network namespace of its own; --external veth[NAME]:NAME says that a device is meant",
  },
  {
    id: "untrusted-mount",
    title: "An untrusted tree's images name what of this machine to mount",
    reads: "mountpoints-*.img; --external mnt[KEY]:PATH",
    why:
      "CRIU mounts what the images name into the tree: with automatic external mounts any directory of this machine, with others a disk, or a file " +
      "system that is the kernel's own. Mounts that options name are the caller's word, and those that hold nothing of the machine's are no finding.",
    remedy: "map it yourself with --external mnt[KEY]:PATH, to something that the tree may have",
  },
  {
    id: "untrusted-kernel",
    proof: "images",
    title: "An untrusted tree's images would teach the kernel something",
    reads: "apparmor.img, binfmt-misc*.img, cgroup.img",
    why: "AppArmor profiles, binary formats and a cgroup's release agent hold for the whole machine and outlive the tree; the latter two are programs that the kernel starts for others, or as root.",
    remedy: "restore it where that kernel is nobody else's: in a virtual machine",
  },
  {
    id: "untrusted-watch",
    proof: "images",
    title: "An untrusted tree would decide who may open files of this machine",
    reads: "fanotify marks in files.img",
    why: "With a permission mark of fanotify(7) whoever opens the file waits for the tree's answer: on a whole mount that stops the machine.",
    remedy: "stop here, unless it is a virus scanner of yours",
  },
];

const infinitives: Readonly<Record<Verb, string>> = {
  run: "run",
  load: "load",
  mount: "mount",
  join: "join",
  delete: "delete",
  create: "make",
  change: "change",
  write: "write to",
  signal: "have power over",
  connect: "connect to",
  listen: "listen on",
  watch: "watch",
  lock: "lock",
  set: "set",
  read: "read",
};

/** Findings of one check; a hostile checkpoint can have hundreds of thousands. */
const MOST = 50;

const checkOf = (page: Page): Check => ({
  id: page.id,
  title: page.title,
  reads: page.reads,
  why: page.why,
  proof: page.proof ?? "harm",
  run({ own, effects = [] }: Context) {
    if (!own.untrusted) return [];
    const found = effects.filter(({ check }) => check === page.id);
    const shown = found.slice(0, MOST).map((one) => findingOf(page, one));
    const [next] = found.slice(MOST);
    return next === undefined
      ? shown
      : [
          ...shown,
          {
            ...findingOf(page, next),
            message: `and ${found.length - MOST} more of these; --effects lists them`,
          },
        ];
  },
});

function findingOf({ id, remedy }: Page, one: Effect): Finding {
  const { verb, what, path, name, detail, image, task } = one;
  const where = path ?? name;
  const called = path === null || path === name ? "" : ` (${name} in the images)`;
  return {
    id,
    severity: "blocker",
    task,
    image,
    subject: where,
    message: `it would ${infinitives[verb]} the ${what} ${where}${called}: ${detail}`,
    criu_message: null,
    remedy:
      typeof remedy === "string"
        ? { kind: "human", text: remedy, command: allowing(remedy, path) }
        : { ...remedy },
  };
}

/** The option for the file's own directory, where it is one that would do. */
const allowing = (remedy: string, path: string | null) =>
  path !== null && remedy.includes("--allow-write") ? sh`--allow-write=${dirname(path)}` : null;

export const untrustedEffects: readonly Check[] = pages.map(checkOf);
