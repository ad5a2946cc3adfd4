import { basePolicy, policyName } from "../../sys/sched.ts";
import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { CAP_SYS_NICE, capabilitiesOfCriu, has } from "../rights/capabilities.ts";
import { realtime } from "./sched.ts";
import { scheduled } from "./sched.ts";

const isRealtime = (policy: number) => realtime.includes(basePolicy(policy));

const RLIMIT_NICE = 13;

const RLIMIT_RTPRIO = 14;

export const schedNotPermitted: Check = {
  title: "CRIU may not give a thread its real-time priority or nice value",
  reads: "scheduling in core-*.img; CAP_SYS_NICE, RLIMIT_RTPRIO and RLIMIT_NICE of recriu",
  why:
    "Real-time policies and nice values below the present one need CAP_SYS_NICE or a resource limit. CRIU does not look at the result of these calls: " +
    "the thread runs with less, and nothing in CRIU's log or exit code says so.",
  proof: "harm",
  blocks: false,
  run(context) {
    const { host } = context;
    const criuHas = capabilitiesOfCriu(host);
    const trusted = criuHas !== undefined && has(criuHas.permitted, CAP_SYS_NICE);
    // In a user namespace of its own a task has no capability over the machine's scheduler.
    if (criuHas === undefined || (trusted && !context.namespaces.created.user)) return [];
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
        severity: "warning",
        task: first.task,
        image: `core-${first.tid}.img`,
        subject: `thread ${first.tid}`,
        message: `thread ${first.tid}${lost.length > 1 ? ` and ${lost.length - 1} more` : ""} had ${what}, which CRIU may not give here: no CAP_SYS_NICE`,
        remedy: {
          kind: "human",
          text: "run the restore with CAP_SYS_NICE, or raise the limits where it is started",
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
