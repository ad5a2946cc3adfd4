/** Namespaces that CRIU makes anew for the tree (pstree.c, namespaces.c, timens.c). */
import { netns_entry } from "../image/tables/namespaces.ts";
import type { TaskKobjIdsEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { sh } from "../sys/shell.ts";

/** In the order and by the names of /proc/sys/user/max_*_namespaces; with CRIU's field and clone(2)'s flag. */
const kinds = [
  { name: "mnt", field: "mnt_ns_id", flag: 0x20000 },
  { name: "pid", field: "pid_ns_id", flag: 0x20000000 },
  { name: "net", field: "net_ns_id", flag: 0x40000000 },
  { name: "ipc", field: "ipc_ns_id", flag: 0x8000000 },
  { name: "uts", field: "uts_ns_id", flag: 0x4000000 },
  { name: "time", field: "time_ns_id", flag: 0x80 },
  { name: "user", field: "user_ns_id", flag: 0x10000000 },
] as const;

type Kind = (typeof kinds)[number];

/** Kinds in which two tasks differ, or the root task and the CRIU that dumped it. */
const differing = (a: TaskKobjIdsEntry | undefined, b: TaskKobjIdsEntry | undefined): Kind[] =>
  a === undefined || b === undefined
    ? []
    : kinds.filter(({ field }) => (a[field] ?? 0) !== (b[field] ?? 0));

/** The kinds of namespaces that CRIU makes for the root task. */
const made = ({ checkpoint }: Context): Kind[] =>
  differing(checkpoint.root?.ids, checkpoint.inventory?.root_ids);

export const nestedNamespace: Check = {
  id: "nested-namespace",
  title: "A task of the tree has a namespace that its parent has not",
  reads: "namespaces in ids-*.img and inventory.img",
  why:
    "Below the root task CRIU makes only new mount and network namespaces, and those only where the root task has new ones of that kind " +
    "itself. All other namespaces are one for the whole tree.",
  proof: "criu",
  run(context) {
    const { checkpoint } = context;
    const roots = new Set(made(context).map(({ name }) => name));
    const byPid = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
    return checkpoint.tasks.slice(1).flatMap((task): Finding[] => {
      const own = differing(task.ids, byPid.get(task.ppid)?.ids);
      const wrong = own.filter(
        ({ name }) => !((name === "mnt" || name === "net") && roots.has(name)),
      );
      if (wrong.length === 0) return [];
      const flags = own.reduce((all, { flag }) => all | flag, 0);
      return [
        {
          id: "nested-namespace",
          severity: "blocker",
          task: task.pid,
          image: `ids-${task.pid}.img`,
          subject: wrong.map(({ name }) => name).join(","),
          message: `task ${task.pid} has other namespaces (${wrong.map(({ name }) => name).join(", ")}) than its parent ${task.ppid}`,
          criu_message: `Can't restore sub-task in NS (cflags ${(flags >>> 0).toString(16)})`,
          remedy: {
            kind: "human",
            text: `no restore can do it: dump task ${task.pid} as a tree of its own`,
            command: null,
          },
        },
      ];
    });
  },
};

export const namespaceLimit: Check = {
  id: "namespace-limit",
  title: "This machine allows no new namespace of a kind that the tree has",
  reads: "namespaces in ids-*.img and inventory.img, timens-0.img; /proc/sys/user/max_*_namespaces",
  why:
    "A limit of 0 forbids every new namespace of its kind. Every tree gets a time namespace, even one that had none at the dump, so " +
    "that its clocks go on where they stood.",
  proof: "images",
  run(context) {
    const { checkpoint, host, request } = context;
    const joined = new Set(request.joinNs.map(({ ns }) => ns));
    const wanted = new Set(made(context).map(({ name }) => name as string));
    // A clock that is set forward or back for the tree takes a namespace too.
    if (checkpoint.files.has("timens-0.img") && host.exists("/proc/self/timens_offsets"))
      wanted.add("time");
    if (request.unprivileged) wanted.delete("time");
    return [...wanted].flatMap((name): Finding[] => {
      const file = `/proc/sys/user/max_${name}_namespaces`;
      if (joined.has(name) || host.read(file)?.trim() !== "0") return [];
      return [
        {
          id: "namespace-limit",
          severity: "blocker",
          task: checkpoint.root?.pid ?? null,
          image: `ids-${checkpoint.root?.pid}.img`,
          subject: file,
          message: `the tree needs a new ${name} namespace, and ${file} is 0`,
          criu_message:
            name === "time"
              ? "timens: Unable to create a new time namespace: No space left on device"
              : name === "net"
                ? "Can't unshare net-namespace: No space left on device"
                : `Can't fork for ${checkpoint.root?.pid}: No space left on device`,
          remedy: {
            kind: "human",
            text: "raise the limit",
            command: sh`sysctl -w user.max_${name}_namespaces=1024`,
          },
        },
      ];
    });
  },
};

export const timeNamespace: Check = {
  id: "time-namespace",
  title: "This kernel has no time namespaces, and the tree had one",
  reads: "time_ns_id in ids-*.img and inventory.img; /proc/self/timens_offsets",
  why: "A tree in a time namespace sees clocks of its own. CRIU cannot give it those on a kernel before 5.6, or built without CONFIG_TIME_NS.",
  proof: "images",
  run(context) {
    const { checkpoint, host, request } = context;
    if (
      !made(context).some(({ name }) => name === "time") ||
      request.unprivileged ||
      request.joinNs.some(({ ns }) => ns === "time") ||
      host.exists("/proc/self/timens_offsets")
    )
      return [];
    return [
      {
        id: "time-namespace",
        severity: "blocker",
        task: checkpoint.root!.pid,
        image: `timens-${checkpoint.root!.ids!.time_ns_id}.img`,
        subject: "/proc/self/timens_offsets",
        message: "the tree had a time namespace, and this kernel has none",
        criu_message: "timens: Unable to create a new time namespace",
        remedy: {
          kind: "human",
          text: "restore on Linux 5.6 or later with CONFIG_TIME_NS",
          command: null,
        },
      },
    ];
  },
};

export const namespaceFile: Check = {
  id: "namespace-file",
  title: "A task holds a namespace open that no task of the tree is in",
  reads: "nsf entries in files.img; namespaces in ids-*.img, nsids in netns-*.img",
  why: "CRIU opens a namespace again through a task that lives in it. One that nobody of the tree lives in is not restored.",
  proof: "criu",
  run({ checkpoint, namespaces, request }) {
    if (request.inheritFds.length > 0) return [];
    const known = new Set<number>();
    for (const { ids } of checkpoint.tasks)
      for (const field of [...kinds.map((kind) => kind.field), "cgroup_ns_id"] as const)
        if (ids?.[field] !== undefined) known.add(ids[field]);
    if (namespaces.own.net)
      for (const file of checkpoint.files)
        if (/^netns-\d+\.img$/.test(file))
          for (const { nsids } of checkpoint.values(file, netns_entry))
            for (const { target_ns_id } of nsids) known.add(target_ns_id);
    return livingTasks(checkpoint).flatMap((task) =>
      task.fds.flatMap(({ id, fd }): Finding[] => {
        const entry = checkpoint.openFiles.get(id)?.nsf;
        if (entry === undefined || known.has(entry.ns_id)) return [];
        return [
          {
            id: "namespace-file",
            severity: "blocker",
            task: task.pid,
            image: `files.img id 0x${entry.id.toString(16)}`,
            subject: `descriptor ${fd}`,
            message: `descriptor ${fd} of task ${task.pid} is a namespace in which no task of the tree is`,
            criu_message: `Can't find suitable NS ID for ${entry.ns_id === 0 ? "0" : `0x${entry.ns_id.toString(16)}`}`,
            remedy: {
              kind: "human",
              text: "close it in the program before the dump, or dump with a task that is in it",
              command: null,
            },
          },
        ];
      }),
    );
  },
};
