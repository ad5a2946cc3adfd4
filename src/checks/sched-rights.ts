/** Scheduling that CRIU refuses to restore, and such that the kernel would refuse, which CRIU does not notice. */
import { compareVersions } from "../criu/index.ts";
import {
  policyName,
  SCHED_BATCH,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_OTHER,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
} from "../sys/sched.ts";
import type { Task } from "../image/index.ts";
import type { Check, Context, Criu, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";
import { CAP_SYS_NICE, capabilitiesOfCriu, has } from "./rights.ts";

interface Sched {
  task: Task;
  tid: number;
  policy: number;
  /** Without SCHED_RESET_ON_FORK. */
  base: number;
  priority: number;
  nice: number;
}

/** Threads with saved scheduling; old images have none, and CRIU then sets nothing of it. */
function scheduled(context: Context): Sched[] {
  return livingTasks(context.checkpoint).flatMap((task) =>
    task.threads.flatMap(({ tid, core }) => {
      const saved = core?.thread_core;
      if (saved?.sched_policy === undefined) return [];
      const { sched_policy: policy, sched_prio: priority = 0, sched_nice: nice = 0 } = saved;
      return [{ task, tid, policy, base: policy & ~SCHED_RESET_ON_FORK, priority, nice }];
    }),
  );
}

const ordinary = [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE];
const realtime = [SCHED_FIFO, SCHED_RR];

const criuMessage = ({ policy, nice, priority }: Sched) =>
  `Inconsistent sched params received (${policy | 0}.${nice}.${priority})`;

const refused = (id: string, sched: Sched, message: string, text: string): Finding => ({
  id,
  severity: "blocker",
  task: sched.task.pid,
  image: `core-${sched.tid}.img`,
  subject: `thread ${sched.tid}`,
  message,
  criu_message: criuMessage(sched),
  remedy: { kind: "human", text, command: null },
});

export const schedDeadline: Check = {
  id: "sched-deadline",
  title: "A thread's scheduling policy is one that CRIU does not know",
  reads: "sched_policy in core-*.img",
  why:
    "CRIU dumps a thread under SCHED_DEADLINE or SCHED_EXT without complaint, but leaves the runtime, deadline and period out, and refuses " +
    "the policy when it restores.",
  proof: "criu",
  run: (context) =>
    scheduled(context).flatMap((sched) =>
      [...ordinary, ...realtime].includes(sched.base)
        ? []
        : [
            refused(
              "sched-deadline",
              sched,
              `thread ${sched.tid} runs under ${policyName(sched.policy)}, which CRIU cannot restore`,
              `give the thread another policy (chrt -o -p 0 ${sched.tid}), dump again, and set the old one after the restore`,
            ),
          ],
    ),
};

/** CRIU before 4.0 finds the flag inconsistent by itself: sched-reset-on-fork. */
const unknownFlag = (criu: Criu | undefined, { policy }: Sched) =>
  (policy & SCHED_RESET_ON_FORK) !== 0 &&
  criu?.version !== undefined &&
  compareVersions(criu.version, "4.0") < 0;

export const schedInconsistent: Check = {
  id: "sched-inconsistent",
  title: "A thread's nice value or priority is out of range",
  reads: "sched_policy, sched_prio and sched_nice in core-*.img",
  why: "CRIU refuses a nice value outside of -20 to 19, a real-time priority above 99 and any priority under another policy. No kernel has such: the image is damaged.",
  proof: "criu",
  run: (context) =>
    scheduled(context).flatMap((sched) => {
      const { base, nice, priority, tid } = sched;
      const bad =
        nice < -20 ||
        nice > 19 ||
        (ordinary.includes(base) && priority !== 0) ||
        (realtime.includes(base) && priority > 99);
      if (!bad || unknownFlag(context.criu, sched)) return [];
      return [
        refused(
          "sched-inconsistent",
          sched,
          `thread ${tid} has nice value ${nice} and priority ${priority} under ${policyName(sched.policy)}`,
          "take an intact copy of the image, or dump again",
        ),
      ];
    }),
};

const RLIMIT_NICE = 13;
const RLIMIT_RTPRIO = 14;

export const schedNotPermitted: Check = {
  id: "sched-not-permitted",
  title: "CRIU may not give a thread its real-time priority or nice value",
  reads: "scheduling in core-*.img; CAP_SYS_NICE, RLIMIT_RTPRIO and RLIMIT_NICE of recriu",
  why:
    "Real-time policies and nice values below the present one need CAP_SYS_NICE or a resource limit. CRIU does not look at the result of these calls: " +
    "the thread runs with less, and nothing in CRIU's log or exit code says so.",
  proof: "harm",
  run(context) {
    const { host } = context;
    const own = capabilitiesOfCriu(host);
    const trusted = own !== undefined && has(own.permitted, CAP_SYS_NICE);
    // In a user namespace of its own a task has no capability over the machine's scheduler.
    if (own === undefined || (trusted && !context.namespaces.own.user)) return [];
    const most = host.limit(RLIMIT_RTPRIO)?.soft ?? 0n;
    const niceLimit = host.limit(RLIMIT_NICE)?.soft ?? 0n;
    const inherited = niceOf(host.read("/proc/self/stat"));
    const lost = scheduled(context).filter(({ base, priority, nice }) =>
      realtime.includes(base)
        ? BigInt(priority) > most
        : nice < inherited && BigInt(20 - nice) > niceLimit,
    );
    const [first] = lost;
    if (first === undefined) return [];
    const what = realtime.includes(first.base)
      ? `${policyName(first.policy)} priority ${first.priority}`
      : `nice value ${first.nice}`;
    return [
      {
        id: "sched-not-permitted",
        severity: "warning",
        task: first.task.pid,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid}${lost.length > 1 ? ` and ${lost.length - 1} more` : ""} had ${what}, which CRIU may not give here: no CAP_SYS_NICE`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "run it with CAP_SYS_NICE, or raise the limits where it is started",
          command: "prlimit --pid $$ --rtprio=99 --nice=40",
        },
      },
    ];
  },
};

/** The nice value in a /proc/PID/stat. */
function niceOf(stat: string | undefined): number {
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields?.[16] ?? 0);
}
