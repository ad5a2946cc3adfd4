/** Scheduling that no kernel has, and such that this kernel would refuse, which CRIU does not notice. */
import {
  basePolicy,
  policyName,
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_EXT,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_OTHER,
  SCHED_RR,
} from "../sys/sched.ts";
import type { Check, Finding } from "./finding.ts";
import { CAP_SYS_NICE, capabilitiesOfCriu, has } from "./rights.ts";
import { scheduled, schedMessage } from "./sched.ts";
import { sh } from "../sys/shell.ts";

const ordinary = [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE];
const realtime = [SCHED_FIFO, SCHED_RR];
const known = new Set([...ordinary, ...realtime, SCHED_DEADLINE, SCHED_EXT]);
const isRealtime = (policy: number) => realtime.includes(basePolicy(policy));

export const schedInconsistent: Check = {
  id: "sched-inconsistent",
  title: "A thread's policy, nice value or priority is none that a kernel has",
  reads: "sched_policy, sched_prio and sched_nice in core-*.img",
  why: "CRIU refuses an unknown policy, a nice value outside of -20 to 19, a real-time priority above 99 and any priority under another policy. No kernel has such: the image is damaged.",
  proof: "criu",
  run: (context) =>
    scheduled(context).flatMap((thread): Finding[] => {
      const { policy, nice, priority, task, tid } = thread;
      const base = basePolicy(policy);
      const bad =
        !known.has(base) ||
        nice < -20 ||
        nice > 19 ||
        (ordinary.includes(base) && priority !== 0) ||
        (realtime.includes(base) && priority > 99);
      if (!bad) return [];
      return [
        {
          id: "sched-inconsistent",
          severity: "blocker",
          task,
          image: `core-${tid}.img`,
          subject: `thread ${tid}`,
          message: `thread ${tid} has nice value ${nice} and priority ${priority} under ${policyName(policy)}`,
          criu_message: schedMessage(thread),
          remedy: {
            kind: "human",
            text: "take an intact copy of the image, or dump again",
            command: null,
          },
        },
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
    const lost = scheduled(context).filter(({ policy, priority, nice }) =>
      isRealtime(policy)
        ? BigInt(priority) > most
        : nice < inherited && BigInt(20 - nice) > niceLimit,
    );
    const [first] = lost;
    if (first === undefined) return [];
    const what = isRealtime(first.policy)
      ? `${policyName(first.policy)} priority ${first.priority}`
      : `nice value ${first.nice}`;
    return [
      {
        id: "sched-not-permitted",
        severity: "warning",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid}${lost.length > 1 ? ` and ${lost.length - 1} more` : ""} had ${what}, which CRIU may not give here: no CAP_SYS_NICE`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "run it with CAP_SYS_NICE, or raise the limits where it is started",
          command: sh`prlimit --pid $$ --rtprio=99 --nice=40`,
        },
      },
    ];
  },
};

/** The nice value in a /proc/PID/stat. */
export function niceOf(stat: string | undefined): number {
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields?.[16] ?? 0);
}
