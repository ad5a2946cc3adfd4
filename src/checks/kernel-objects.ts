/** What tasks hold of the kernel's: I/O contexts, pipes, memory files, owners of files (aio.c, pipes.c, memfd.c, files.c). */
import { memfd_inode_entry, pipe_data_entry } from "../image/tables/files.ts";
import { CAP_SYS_RESOURCE, has } from "./rights.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { sh } from "../sys/shell.ts";

/** A number of /proc/sys. */
export function setting({ host }: Context, name: string): number | undefined {
  const text = host.read(`/proc/sys/${name}`);
  return text === undefined ? undefined : Number(text.trim());
}

/** How a limit is raised for good. */
export const raise = (name: string, value: number) =>
  ({
    kind: "human",
    text: "raise the limit",
    command: sh`sysctl -w ${name.replaceAll("/", ".")}=${value}`,
  }) as const;

/** Pages of a ring that Linux makes for so many requests (fs/aio.c), in bytes. */
function ringLength(requests: number, processors: number): number {
  const events = Math.max(requests, processors * 4) * 2 + 2;
  return Math.ceil((32 + events * 32) / 4096) * 4096;
}

/** Processors that this machine could ever have. */
function possibleProcessors({ host }: Context): number | undefined {
  const last = /(\d+)\s*$/.exec(host.read("/sys/devices/system/cpu/possible") ?? "")?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}

export const aioLimit: Check = {
  id: "aio-limit",
  title: "Asynchronous I/O of a task cannot be set up as it was",
  reads: "aios in mm-*.img; fs.aio-nr, fs.aio-max-nr, /sys/devices/system/cpu/possible",
  why:
    "All asynchronous I/O contexts of a machine share one limit. And each has a ring in the task's memory, which Linux makes larger where " +
    "there may be more processors: a small ring of a small machine cannot be made on a large one.",
  proof: "criu",
  run(context) {
    const all = livingTasks(context.checkpoint).flatMap((task) =>
      (task.mm?.aios ?? []).map((ring) => ({ task: task.pid, ring })),
    );
    const most = setting(context, "fs/aio-max-nr");
    const used = setting(context, "fs/aio-nr");
    const findings: Finding[] = [];
    const wanted = all.reduce((sum, { ring }) => sum + ring.nr_req, 0);
    const shared = { id: "aio-limit", severity: "blocker" } as const;
    if (wanted > 0 && most !== undefined && used !== undefined && used + wanted > most)
      findings.push({
        ...shared,
        task: all[0]!.task,
        image: `mm-${all[0]!.task}.img`,
        subject: "fs.aio-max-nr",
        message: `the tree needs ${wanted} asynchronous I/O events, ${used} are in use, and fs.aio-max-nr is ${most}`,
        criu_message: "Ring setup failed with -11",
        remedy: raise("fs/aio-max-nr", used + wanted),
      });
    const processors = possibleProcessors(context);
    if (processors === undefined || context.host.architecture !== "x64") return findings;
    for (const { task, ring } of all) {
      const length = ringLength(ring.nr_req, processors);
      if (length === ring.ring_len) continue;
      findings.push({
        ...shared,
        task,
        image: `mm-${task}.img`,
        subject: `0x${ring.id.toString(16)}`,
        message: `an asynchronous I/O ring of task ${task} has ${ring.ring_len} bytes; this machine makes it ${length} (for up to ${processors} processors)`,
        criu_message: "wrong aio: ",
        remedy: {
          kind: "human",
          text: `restore on a machine with as many possible processors as that of the dump (possible_cpus= of the kernel's command line sets them)`,
          command: sh`cat /sys/devices/system/cpu/possible`,
        },
      });
    }
    return findings;
  },
};

export const pipeSize: Check = {
  id: "pipe-size",
  title: "A pipe is larger than this machine allows",
  reads: "pipes-data.img and fifo-data.img; fs.pipe-max-size, own capabilities",
  why: "A program with CAP_SYS_RESOURCE may make pipes of any size, others up to a limit. CRIU gives each pipe its old size and stops when that is refused.",
  proof: "criu",
  run(context) {
    const most = setting(context, "fs/pipe-max-size");
    const { capabilities } = context.host;
    const able = has(capabilities, CAP_SYS_RESOURCE) && !context.namespaces.own.user;
    if (most === undefined || able) return [];
    return ["pipes-data.img", "fifo-data.img"].flatMap((image) =>
      context.checkpoint
        .values(image, pipe_data_entry)
        .flatMap(({ pipe_id, size = 0 }): Finding[] => {
          if (size <= most) return [];
          return [
            {
              id: "pipe-size",
              severity: "blocker",
              task: null,
              image,
              subject: `pipe 0x${pipe_id.toString(16)}`,
              message: `a pipe has room for ${size} bytes, and fs.pipe-max-size is ${most}`,
              criu_message: "Can't restore pipe size: Operation not permitted",
              remedy: raise("fs/pipe-max-size", size),
            },
          ];
        }),
    );
  },
};

export const memfdExecutable: Check = {
  id: "memfd-executable",
  title: "A memory file may not be executable here",
  reads: "mode in memfd.img; vm.memfd_noexec",
  why:
    "Where vm.memfd_noexec is 1 or 2, memfd_create(2) makes files that never can be executable, unless asked otherwise, which CRIU " +
    "does not do. Giving such a file its old mode is then refused; programs that do not ask either have executable ones as a rule.",
  proof: "criu",
  run(context) {
    if (!(setting(context, "vm/memfd_noexec")! >= 1)) return [];
    return context.checkpoint
      .values("memfd.img", memfd_inode_entry)
      .flatMap(({ name, mode = 0 }): Finding[] => {
        if ((mode & 0o111) === 0) return [];
        return [
          {
            id: "memfd-executable",
            severity: "blocker",
            task: null,
            image: "memfd.img",
            subject: name,
            message: `the memory file ${name} has mode ${(mode & 0o7777).toString(8)}, and vm.memfd_noexec forbids executable ones`,
            criu_message: `of memfd:${name}: Operation not permitted`,
            remedy: {
              kind: "human",
              text: "allow them while the restore runs",
              command: sh`sysctl -w vm.memfd_noexec=0`,
            },
          },
        ];
      });
  },
};

export const fileOwnerMissing: Check = {
  id: "file-owner-missing",
  title: "The process that gets a file's signals is not there",
  reads: "owners in files.img, pstree.img; processes of this machine",
  why: "A descriptor can have an owner, to which SIGIO goes (F_SETOWN). CRIU sets it again, and the kernel refuses one that does not exist.",
  proof: "criu",
  run(context) {
    const { checkpoint, namespaces, host } = context;
    const own = new Set(
      checkpoint.tasks.flatMap(({ pid, pgid, sid, threads }) => [
        pid,
        pgid,
        sid,
        ...threads.map(({ tid }) => tid),
      ]),
    );
    const findings: Finding[] = [];
    const seen = new Set<number>();
    for (const task of livingTasks(checkpoint))
      for (const { id, fd } of task.fds) {
        if (seen.has(id)) continue;
        seen.add(id);
        const file = checkpoint.openFiles.get(id);
        const kind =
          file &&
          Object.values(file).find(
            (value) => typeof value === "object" && value && "fown" in value,
          );
        const owner = (kind as { fown?: { pid: number } } | undefined)?.fown?.pid ?? 0;
        if (owner === 0 || own.has(owner)) continue;
        if (!namespaces.own.pid && host.exists(`/proc/${owner}`)) continue;
        if (!namespaces.own.pid && host.processes.some(({ pgrp }) => pgrp === owner)) continue;
        findings.push({
          id: "file-owner-missing",
          severity: "blocker",
          task: task.pid,
          image: `files.img id 0x${id.toString(16)}`,
          subject: `descriptor ${fd}`,
          message: `signals of descriptor ${fd} of task ${task.pid} go to ${owner}, which is neither in the tree nor on this machine`,
          criu_message: `Can't setup ${fd} file owner pid: No such process`,
          remedy: {
            kind: "human",
            text: "no option leaves an owner out: dump the tree together with its owner",
            command: null,
          },
        });
      }
    return findings;
  },
};
