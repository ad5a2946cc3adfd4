import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { CAP_SYS_RESOURCE } from "./capabilities.ts";
import { lacks } from "./capabilities.ts";

/** RLIMIT_* by number, getrlimit(2). */
export const limitNames =
  "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME".split(
    " ",
  );

const NOFILE = 7;

const INFINITY = 0xffffffffffffffffn;

export const show = (limit: bigint): string =>
  limit === INFINITY ? "unlimited" : limit.toString();

export const rlimitLowered: Check = {
  title: "A task had higher limits than CRIU may give",
  reads: "rlimits in core-*.img; limits and capabilities of recriu, /proc/sys/fs/nr_open",
  why:
    "A hard limit above one's own can only be set with CAP_SYS_RESOURCE, and RLIMIT_NOFILE never above fs.nr_open. CRIU does not look at the result: the task runs " +
    "with the lower limit of CRIU.",
  proof: "harm",
  blocks: false,
  run(context) {
    const { checkpoint, host } = context;
    const bound = lacks(context, CAP_SYS_RESOURCE);
    const nrOpen = host.read("/proc/sys/fs/nr_open")?.trim();
    const hardLimits = limitNames.map((_, resource) =>
      bound ? host.limit(resource)?.hard : undefined,
    );
    const most = hardLimits.map((limit = INFINITY, resource) => {
      const open = resource === NOFILE && nrOpen !== undefined ? BigInt(nrOpen) : INFINITY;
      return limit < open ? limit : open;
    });
    const findings = new Map<number, Problem>();
    let before: unknown;
    for (const task of livingTasks(checkpoint)) {
      const limits = task.core?.tc?.rlimits?.rlimits ?? [];
      // Of forked tasks they are the same object.
      if (limits === before) continue;
      before = limits;
      for (const [resource, { max }] of limits.entries()) {
        const least = most[resource];
        if (least === undefined || max <= least || findings.has(resource)) continue;
        const name = `RLIMIT_${limitNames[resource]}`;
        findings.set(resource, {
          severity: "warning",
          task: task.pid,
          image: `core-${task.pid}.img`,
          subject: name,
          message: `task ${task.pid} had ${name} up to ${show(max)}; CRIU may give at most ${show(least)} here`,
          remedy: {
            kind: "human",
            text: "raise the limit where recriu is started, or run it with CAP_SYS_RESOURCE",
            command:
              resource === NOFILE && least !== hardLimits[resource]
                ? sh`sysctl fs.nr_open=${max}`
                : sh`prlimit --pid $$ --${limitNames[resource]!.toLowerCase()}=:${show(max)}`,
          },
        });
      }
    }
    return [...findings.values()];
  },
};
