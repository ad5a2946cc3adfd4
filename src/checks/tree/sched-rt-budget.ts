/** Real-time threads in cgroups that have no real-time budget (cgroup v1 with CONFIG_RT_GROUP_SCHED). */
import { cgroupDirectory } from "../../host/cgroups.ts";
import type { Host } from "../../host/index.ts";
import type { Task } from "../../image/index.ts";
import { dirname } from "../../sys/path.ts";
import { SCHED_FIFO, SCHED_RESET_ON_FORK, SCHED_RR } from "../../sys/sched.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

const realtimeThread = (task: Task) =>
  task.threads.find(({ core }) => {
    const policy = core?.thread_core?.sched_policy ?? 0;
    return [SCHED_FIFO, SCHED_RR].includes(policy & ~SCHED_RESET_ON_FORK);
  });

/** The settings of a cgroup and of those above it that have none, the topmost first. */
function withoutBudget(host: Host, root: string, directory: string): string[] {
  const file = `${directory}/cpu.rt_runtime_us`;
  if (!directory.startsWith(`${root.replace(/\/$/, "")}/`) || Number(host.read(file) ?? 1) !== 0)
    return [];
  return [...withoutBudget(host, root, dirname(directory)), file];
}

/** The directory of the cpu cgroup in which CRIU restores a task: its own (by its set), or CRIU's. */
function cpuCgroup(
  { checkpoint, host, request }: Context,
  task: Task,
  paths: ReadonlyMap<number, string | undefined>,
): string | undefined {
  const { core } = task;
  const id = core?.thread_core?.cg_set ?? core?.tc?.cg_set;
  const stays =
    request.manageCgroups.value === "ignore" || id === checkpoint.inventory?.root_cg_set;
  const path = stays
    ? /^\d+:(?:[^:\n]*,)?cpu(?:,[^:\n]*)?:(.*)$/m.exec(host.read("/proc/self/cgroup") ?? "")?.[1]
    : paths.get(id ?? 0);
  return path === undefined ? undefined : cgroupDirectory(host.cgroupMounts, ["cpu"], path);
}

export const schedRtBudget: Check = {
  title: "A real-time thread's cgroup has no real-time budget",
  reads:
    "sched_policy and cg_set in core-*.img, cgroup.img, --manage-cgroups; cpu.rt_runtime_us of that cgroup",
  why:
    "Where cgroup v1 divides real-time up, a new cgroup has none (cpu.rt_runtime_us is 0), and the kernel refuses every real-time policy in it. CRIU does not look at the " +
    "result, and restores the budget of a cgroup that it makes only after the policies: the thread becomes an ordinary one. recriu sets the policy again at its " +
    "gate, which is late enough for a cgroup that CRIU made; one that is there already CRIU leaves as it is.",
  proof: "harm",
  blocks: false,
  run(context) {
    const { host, checkpoint, request } = context;
    const realtime = livingTasks(checkpoint).filter((task) => realtimeThread(task) !== undefined);
    if (realtime.length === 0) return [];
    const root = cgroupDirectory(host.cgroupMounts, ["cpu"], "/");
    if (root === undefined || !host.exists(`${root}/cpu.rt_runtime_us`)) return [];
    if (request.cgroupRoot.length > 0) return []; // the paths are others then
    const paths = new Map(
      (checkpoint.cgroup?.sets ?? []).map(({ id, ctls }) => [
        id,
        ctls.find(({ name }) => name === "cpu")?.path,
      ]),
    );
    const findings = new Map<string, Problem>();
    for (const task of realtime) {
      const thread = realtimeThread(task);
      const directory = thread === undefined ? undefined : cpuCgroup(context, task, paths);
      if (thread === undefined || directory === undefined || findings.has(directory)) continue;
      const made = !host.exists(directory);
      if (!made && Number(host.read(`${directory}/cpu.rt_runtime_us`) ?? 1) !== 0) continue;
      const words = withoutBudget(host, root, directory);
      findings.set(directory, {
        severity: made ? "info" : "warning",
        task: task.pid,
        image: `core-${thread.tid}.img`,
        subject: directory,
        message: made
          ? `thread ${thread.tid} is real-time, and CRIU sets that before ${directory}, which it makes, has a budget for it`
          : `thread ${thread.tid} is real-time, and the cgroup ${directory} has no budget for it: it will be an ordinary one`,
        remedy: made
          ? {
              kind: "human",
              text: "nothing to do: recriu sets it at its gate (not with --verify=off)",
            }
          : {
              kind: "human",
              text: "give the cgroup a budget: microseconds of each second, within that of its parent, which needs one first",
              command: sh`echo 10000 | tee ${words}`,
            },
      });
    }
    return [...findings.values()];
  },
};
