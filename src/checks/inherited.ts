/** What a task would keep of CRIU, because CRIU does not set it or does not look whether it could. */
import { againStaying } from "./again.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { CAP_AUDIT_CONTROL, CAP_SYS_RESOURCE, capabilitiesOfCriu, has } from "./rights.ts";
import { sh } from "../sys/shell.ts";

/** RLIMIT_* by number, getrlimit(2). */
export const limitNames =
  "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME".split(
    " ",
  );
const NOFILE = 7;
const INFINITY = 0xffffffffffffffffn;
export const show = (limit: bigint): string =>
  limit === INFINITY ? "unlimited" : limit.toString();

/** True where CRIU certainly has no such capability; a task in a user namespace of its own has none over the machine. */
function lacks({ host, namespaces }: Context, capability: number): boolean {
  if (namespaces.own.user) return true;
  const own = capabilitiesOfCriu(host);
  return own !== undefined && !has(own.permitted, capability);
}

export const rlimitLowered: Check = {
  id: "rlimit-lowered",
  title: "A task had higher limits than CRIU may give",
  reads: "rlimits in core-*.img; limits and capabilities of recriu, /proc/sys/fs/nr_open",
  why:
    "A hard limit above one's own can only be set with CAP_SYS_RESOURCE, and RLIMIT_NOFILE never above fs.nr_open. CRIU does not look at the result: the task runs " +
    "with the lower limit of CRIU.",
  proof: "harm",
  run(context) {
    const { checkpoint, host } = context;
    const bound = lacks(context, CAP_SYS_RESOURCE);
    const nrOpen = host.read("/proc/sys/fs/nr_open")?.trim();
    const own = limitNames.map((_, resource) => (bound ? host.limit(resource)?.hard : undefined));
    const most = own.map((limit = INFINITY, resource) => {
      const open = resource === NOFILE && nrOpen !== undefined ? BigInt(nrOpen) : INFINITY;
      return limit < open ? limit : open;
    });
    const findings = new Map<number, Finding>();
    for (const task of livingTasks(checkpoint)) {
      for (const [resource, { max }] of (task.core?.tc?.rlimits?.rlimits ?? []).entries()) {
        const least = most[resource];
        if (least === undefined || max <= least || findings.has(resource)) continue;
        const name = `RLIMIT_${limitNames[resource]}`;
        findings.set(resource, {
          id: "rlimit-lowered",
          severity: "warning",
          task: task.pid,
          image: `core-${task.pid}.img`,
          subject: name,
          message: `task ${task.pid} had ${name} up to ${show(max)}; CRIU may give at most ${show(least)} here`,
          criu_message: null,
          remedy: {
            kind: "human",
            text: "raise the limit where recriu is started, or run it with CAP_SYS_RESOURCE",
            command:
              resource === NOFILE && least !== own[resource]
                ? sh`sysctl fs.nr_open=${max}`
                : sh`prlimit --pid $$ --${limitNames[resource]!.toLowerCase()}=:${show(max)}`,
          },
        });
      }
    }
    return [...findings.values()];
  },
};

export const oomScore: Check = {
  id: "oom-score-inherited",
  title: "CRIU does not set a task's oom_score_adj",
  reads: "oom_score_adj in core-*.img; /proc/self/oom_score_adj and capabilities of recriu",
  why:
    "CRIU writes oom_score_adj only where it was not 0: other tasks keep that of CRIU, until recriu sets it again at its gate. To lower it " +
    "takes CAP_SYS_RESOURCE, and CRIU only logs that it could not.",
  proof: "harm",
  run(context) {
    const { checkpoint, host } = context;
    const own = Number(host.read("/proc/self/oom_score_adj") ?? 0);
    const least = lacks(context, CAP_SYS_RESOURCE) ? Math.min(0, own) : -1000;
    const tasks = livingTasks(checkpoint).flatMap((task) => {
      const saved = task.core?.tc?.oom_score_adj;
      return saved === undefined ? [] : [{ task, saved }];
    });
    const lost = tasks.find(({ saved }) => saved < least);
    const kept = own === 0 ? undefined : tasks.find(({ saved }) => saved === 0);
    const finding = (
      pid: number,
      rest: Pick<Finding, "severity" | "message" | "remedy">,
    ): Finding => ({
      id: "oom-score-inherited",
      task: pid,
      image: `core-${pid}.img`,
      subject: `task ${pid}`,
      criu_message: null,
      ...rest,
    });
    return [
      ...(lost === undefined
        ? []
        : [
            finding(lost.task.pid, {
              severity: "warning",
              message: `task ${lost.task.pid} had oom_score_adj ${lost.saved}, which needs CAP_SYS_RESOURCE; it will have ${own}`,
              remedy: { kind: "human", text: "run it with CAP_SYS_RESOURCE", command: null },
            }),
          ]),
      ...(kept === undefined
        ? []
        : [
            finding(kept.task.pid, {
              severity: "info",
              message: `task ${kept.task.pid} had oom_score_adj 0; CRIU would leave it with its own, ${own}`,
              remedy: {
                kind: "human",
                text: "nothing to do: recriu sets it at its gate (not with --verify=off)",
                command: null,
              },
            }),
          ]),
    ];
  },
};

/** The value of no login. */
const NO_LOGIN = 0xffffffff;

export const loginuidImmutable: Check = {
  id: "loginuid-immutable",
  title: "The login user of the tasks cannot be set",
  reads: "loginuid in core-*.img; /proc/self/loginuid and capabilities of recriu",
  why:
    "The audit system's login user is set once for each login, and changed only with CAP_AUDIT_CONTROL. CRIU finds out when it first runs and " +
    "remembers it in /run/criu.kdat: where it could then and cannot now it stops, and else the tasks keep the login user of CRIU.",
  proof: "criu",
  run(context) {
    const own = Number(context.host.read("/proc/self/loginuid") ?? NO_LOGIN);
    const rights = capabilitiesOfCriu(context.host);
    if (own === NO_LOGIN || rights === undefined || has(rights.permitted, CAP_AUDIT_CONTROL))
      return [];
    const task = livingTasks(context.checkpoint).find(
      ({ core }) => core?.tc?.loginuid !== undefined && core.tc.loginuid !== own,
    );
    if (task === undefined) return [];
    const saved = task.core!.tc!.loginuid!;
    return [
      {
        id: "loginuid-immutable",
        severity: "warning",
        task: task.pid,
        image: `core-${task.pid}.img`,
        subject: `task ${task.pid}`,
        message: `task ${task.pid} had ${saved === NO_LOGIN ? "no login user" : `login user ${saved}`}; recriu has ${own}, and no CAP_AUDIT_CONTROL to change it`,
        criu_message: "Setting loginuid for CT init task failed, CAP_AUDIT_CONTROL?",
        remedy: {
          kind: "human",
          text: "run it with CAP_AUDIT_CONTROL, or from a service that has no login user",
          // The service ends, and systemd ends all in it, with what it was started for.
          command: sh`systemd-run --pty --same-dir recriu restore ${againStaying(context)}`,
        },
      },
    ];
  },
};

export const dumpableLost: Check = {
  id: "dumpable-lost",
  title: "A task may not be dumped at all afterwards",
  reads: "dumpable in mm-*.img; /proc/sys/fs/suid_dumpable",
  why:
    "A task that changed its user under fs.suid_dumpable=2 has core dumps that only root can read. That value cannot be set by anybody: with another " +
    "fs.suid_dumpable here CRIU takes 0, and the task writes none.",
  proof: "harm",
  run({ checkpoint, host }) {
    const setting = host.read("/proc/sys/fs/suid_dumpable")?.trim();
    if (setting === undefined || setting === "2") return [];
    const task = livingTasks(checkpoint).find(({ mm }) => mm?.dumpable === 2);
    if (task === undefined) return [];
    return [
      {
        id: "dumpable-lost",
        severity: "warning",
        task: task.pid,
        image: `mm-${task.pid}.img`,
        subject: `task ${task.pid}`,
        message: `task ${task.pid} was dumpable for root only (2); with fs.suid_dumpable=${setting} it will not be dumpable`,
        criu_message: "Dumpable flag [2] does not match current",
        remedy: {
          kind: "human",
          text: "set it as it was, if core dumps matter",
          command: sh`sysctl fs.suid_dumpable=2`,
        },
      },
    ];
  },
};
