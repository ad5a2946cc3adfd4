import { sh } from "../../sys/shell.ts";
import type { Check, Problem, Remedy } from "../finding.ts";
import { numberIn } from "../kernel/limits.ts";
import { CAP_SYS_RESOURCE, has } from "../rights/capabilities.ts";

/** CRIU aligns its own descriptors to this, and keeps 14 of them at least and 16 spare above the task's (servicefd.c). */
const ALIGNMENT = 128;

const OWN_DESCRIPTORS = 30;

export const fdTooBig: Check = {
  title: "A descriptor's number is beyond the limit here",
  reads: "fdinfo-*.img; /proc/sys/fs/nr_open, RLIMIT_NOFILE and CAP_SYS_RESOURCE of the caller",
  why:
    "CRIU raises its limit of open files to fs.nr_open, which takes CAP_SYS_RESOURCE (containers rarely have it); without, the caller's own " +
    "limit counts. Above the largest descriptor of a task CRIU needs room for some thirty of its own.",
  proof: "criu",
  run({ checkpoint, host }) {
    const most = numberIn(host, "/proc/sys/fs/nr_open");
    if (most === undefined) return [];
    const raises = has(host.capabilities, CAP_SYS_RESOURCE);
    const limit = raises ? most : host.descriptorLimit;
    const seen = new Set<number>();
    return checkpoint.tasks.values().flatMap((task): Problem[] => {
      const files = task.ids?.files_id;
      if (files === undefined || seen.has(files)) return [];
      seen.add(files);
      let fd = -1;
      for (const entry of task.fds) if (entry.fd > fd) fd = entry.fd;
      const needs = fd + OWN_DESCRIPTORS;
      if (fd < most && needs <= Math.floor(limit / ALIGNMENT) * ALIGNMENT) return [];
      const least = Math.ceil(needs / ALIGNMENT) * ALIGNMENT;
      const usual = 2 ** Math.ceil(Math.log2(fd + 256));
      const beyond = fd >= most || raises;
      return [
        {
          severity: "blocker",
          task: task.pid,
          image: `fdinfo-${files}.img`,
          subject: String(fd),
          message: beyond
            ? `task ${task.pid} has descriptor ${fd}; fs.nr_open allows ${most} here`
            : `task ${task.pid} has descriptor ${fd}; the limit of open files is ${limit} here, and raising it needs CAP_SYS_RESOURCE`,
          criu_message:
            fd >= most
              ? `Too big FD number to restore ${fd}`
              : `sfd: Can't chose service_fd_base: ${Math.floor(limit / ALIGNMENT) * ALIGNMENT} ${fd + 32}`,
          remedy: beyond
            ? {
                kind: "human",
                text: "raise the kernel's limit; CRIU keeps what it learnt of the kernel in /run/criu.kdat",
                command: sh`sysctl -w fs.nr_open=${usual} && rm -f /run/criu.kdat`,
              }
            : softly(usual <= host.descriptorMost ? usual : least, host.descriptorMost),
        },
      ];
    });
  },
};

/** To the hard limit everybody may raise it, beyond that only CAP_SYS_RESOURCE. */
const softly = (to: number, most: number): Remedy => ({
  kind: "human",
  text:
    to <= most
      ? "raise the limit of open files of the shell or service that restores"
      : `give the shell or service that restores a hard limit of ${to} open files (${most} now): LimitNOFILE= of a unit, --ulimit nofile= of a container`,
  command: to <= most ? sh`ulimit -Sn ${to}` : null,
});
