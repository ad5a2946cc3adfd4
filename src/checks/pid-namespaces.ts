/** Process ids as a whole: how large they may be, and the namespace that holds them (pstree.c, cr-restore.c). */
import { PID_MAX_LIMIT } from "../sys/process.ts";
import { again, againStaying } from "./again.ts";
import type { Check, Context, Finding, Leaving } from "./finding.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";
import { sh } from "../sys/shell.ts";

const PID_MAX = "/proc/sys/kernel/pid_max";

/** The largest number that CRIU looks at: it passes threads over. */
const largestOf = ({ pstree }: Context["checkpoint"]): number =>
  pstree.reduce((most, { pid, pgid, sid }) => Math.max(most, pid, pgid, sid), 0);

/** CRIU raises the limit before it makes a task. */
export function pidMaxLeavings({ checkpoint, host }: Context): Leaving[] {
  const limit = Number(host.read(PID_MAX) ?? 0);
  const largest = largestOf(checkpoint);
  return limit > 0 && largest > limit
    ? [{ kind: "sysctl", root: "/", path: PID_MAX, like: `${limit}:${largest + 1}` }]
    : [];
}

export const pidMax: Check = {
  id: "pid-max",
  title: "A number of the images is larger than this kernel hands out",
  reads: "pstree.img; /proc/sys/kernel/pid_max",
  why:
    "When a process, session or group number exceeds kernel.pid_max, CRIU raises that setting of the whole machine and leaves it so. " +
    "It does not look at threads, nor at a number that equals the limit: these the kernel refuses.",
  proof: "criu",
  run(context) {
    const { checkpoint, host } = context;
    const limit = Number(host.read(PID_MAX) ?? 0);
    const largest = largestOf(checkpoint);
    if (limit === 0) return [];
    const shared = { id: "pid-max", image: "pstree.img" } as const;
    const raise = (most: number) =>
      ({
        kind: "human",
        text: "raise the limit first",
        command: sh`sysctl kernel.pid_max=${most + 1}`,
      }) as const;
    const pushed = largest > limit;
    if (pushed && (largest >= PID_MAX_LIMIT || !host.writable(PID_MAX)))
      return [
        {
          ...shared,
          severity: "blocker",
          task: null,
          subject: String(largest),
          message: `the number ${largest} needs kernel.pid_max raised from ${limit}, which ${largest >= PID_MAX_LIMIT ? "no kernel allows" : "is not allowed here"}`,
          criu_message: largest >= PID_MAX_LIMIT ? `Can't set kernel pid_max=${largest + 1}` : null,
          remedy: raise(largest),
        },
      ];
    const findings: Finding[] = [];
    if (pushed)
      findings.push({
        ...shared,
        severity: "warning",
        task: null,
        subject: String(largest),
        message: `CRIU will set kernel.pid_max of this machine from ${limit} to ${largest + 1}, and leave it so`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "set it back when the tree has ended",
          command: sh`sysctl kernel.pid_max=${limit}`,
        },
      });
    // A namespace that CRIU makes has a limit of its own since Linux 6.14, and before it this machine's.
    if (context.namespaces.own.pid) return findings;
    return [
      ...findings,
      ...refused(context, pushed ? largest + 1 : limit).map((number) => ({
        ...shared,
        severity: "blocker" as const,
        task: number.task,
        subject: String(number.number),
        message: `${number.what} ${number.number} cannot be made: the kernel gives only numbers below ${pushed ? largest + 1 : limit}`,
        criu_message:
          number.what === "thread"
            ? "Unable to create a thread: -22"
            : `Can't fork for ${number.number}: Invalid argument`,
        remedy: raise(number.number),
      })),
    ];
  },
};

/** The largest number of each kind that is not below the limit: one command answers for all. */
function refused(context: Context, limit: number) {
  const largest = new Map<string, { what: string; number: number; task: number | null }>();
  const note = (what: string, number: number, task: number | null) => {
    if (number >= limit && number > (largest.get(what)?.number ?? 0))
      largest.set(what, { what, number, task });
  };
  for (const task of context.checkpoint.tasks) {
    note("process", task.pid, task.pid);
    for (const { tid } of task.threads) if (tid !== task.pid) note("thread", tid, task.pid);
  }
  const tree = treeOf(context, runsAsShellJob(context));
  for (const { number, task } of tree.ok ? tree.helpers : []) note("helper", number, task);
  return [...largest.values()];
}

export const pidNamespaceEnds: Check = {
  id: "pid-namespace-ends",
  title: "The tree would be killed as soon as it is restored",
  reads: "whether recriu is process 1; -d (--restore-detached)",
  why:
    "Started as the first process of a pid namespace (`unshare --fork --pid recriu …`, the entry point of a container), recriu is its init, and CRIU is when it is " +
    "started so. When an init ends, the kernel kills all that is in its namespace: with -d it ends as soon as the tree runs, says that all is well, and the tree is gone. Without " +
    "-d it stays until the tree has ended.",
  proof: "harm",
  run(context) {
    const { host, request, checkpoint } = context;
    // A pid namespace of the tree's own is below this one, and is killed with it.
    if (!host.isInit || !request.detached) return [];
    return [
      {
        id: "pid-namespace-ends",
        severity: "blocker",
        task: checkpoint.root?.pid ?? null,
        image: "",
        subject: "-d",
        message:
          "recriu is the first process of this pid namespace: with -d it ends once the tree runs, and then the kernel kills the tree",
        criu_message: null,
        remedy: {
          kind: "human",
          text: "leave -d out: then it ends when the tree has ended. Or have an init there that stays (tini, a shell that waits)",
          command: sh`unshare --fork --pid --mount-proc recriu restore ${againStaying(context)}`,
        },
      },
    ];
  },
};

/** The key of an external pid namespace, where the root's is one. */
function externalKey({ checkpoint }: Context): string | undefined {
  const id = checkpoint.root?.ids?.pid_ns_id;
  return id === undefined ? undefined : checkpoint.pidNamespace(id)?.ext_key;
}

export const pidNamespaceInit: Check = {
  id: "pid-namespace-init",
  title: "The tree and its pid namespace do not fit together",
  reads: "pstree.img, ids-*.img, inventory.img, pidns-*.img",
  why:
    "CRIU makes a pid namespace only together with its init, pid 1, and restores a pid 1 only into a new namespace. Anything else has to be " +
    "dumped with --external pid[INODE]:KEY and restored into an existing namespace.",
  proof: "criu",
  run(context) {
    const { checkpoint, namespaces } = context;
    const pid = checkpoint.root?.pid;
    if (pid === undefined || (pid === 1) === namespaces.own.pid) return [];
    if (externalKey(context) !== undefined) return [];
    return [
      {
        id: "pid-namespace-init",
        severity: "blocker",
        task: pid,
        image: `ids-${pid}.img`,
        subject: `task ${pid}`,
        message:
          pid === 1
            ? "the root is pid 1, and was dumped from inside its own pid namespace"
            : `the pid namespace was not that of CRIU, and its init is not in the images: the root is ${pid}`,
        criu_message:
          pid === 1
            ? "This process tree can only be restored in a new pid namespace."
            : "Can't restore pid namespace without the process init",
        remedy: {
          kind: "human",
          text:
            pid === 1
              ? "dump it again from outside of its pid namespace"
              : "dump it again with its init, or with --external pid[INODE]:KEY to restore it into an existing namespace",
          command: null,
        },
      },
    ];
  },
};

export const pidNamespaceExternal: Check = {
  id: "pid-namespace-external",
  title: "The tree's pid namespace has to be handed to CRIU",
  reads: "pidns-*.img, --inherit-fd",
  why:
    "The tree was dumped with --external pid[INODE]:KEY. CRIU restores it into an existing pid namespace, given as an open " +
    "descriptor under the same key; which one that is, only the caller knows.",
  proof: "criu",
  run(context) {
    const key = externalKey(context);
    const { root } = context.checkpoint;
    if (key === undefined || root === undefined) return [];
    const handed = context.request.inheritFds.some((fd) => fd.key === key);
    if (handed && root.pid !== 1) return [];
    return [
      {
        id: "pid-namespace-external",
        severity: "blocker",
        task: root.pid,
        image: `pidns-${root.ids?.pid_ns_id}.img`,
        subject: key,
        message:
          root.pid === 1
            ? `the root is pid 1, which an existing pid namespace (${key}) has already`
            : `no descriptor of the external pid namespace ${key} was given`,
        criu_message:
          root.pid === 1
            ? "Unable to restore into an empty PID namespace"
            : `Unable to find an external pidns: ${key}`,
        remedy:
          root.pid === 1
            ? { kind: "human", text: "dump it again without --external pid", command: null }
            : {
                kind: "human",
                text: "PID is a process of the namespace: open that as a descriptor, and hand it over",
                command: sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${key}`} 9</proc/PID/ns/pid`,
              },
      },
    ];
  },
};
