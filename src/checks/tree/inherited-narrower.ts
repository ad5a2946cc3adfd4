/** What no image has: the tree gets it from CRIU, which has it from recriu, which has it from whoever restores. */
import { cgroupDirectory } from "../../host/cgroups.ts";
import type { Host } from "../../host/index.ts";
import type { Checkpoint } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Problem } from "../finding.ts";
import { numbers } from "../number-lists.ts";
import { livingTasks } from "../paths.ts";

/** What recriu has and what is usual; in which words to run `recriu restore` without it, where there are any. */
interface Narrow {
  subject: string;
  message: string;
  prefix?: readonly string[];
  text?: string;
}

const BEST_EFFORT = 2;

const IDLE = 3;

/** The level of best effort that nice 0 has: ioprio_set(2). */
const USUAL_LEVEL = 4;

/** Nanoseconds: prctl(2), PR_SET_TIMERSLACK. */
const USUAL_SLACK_NS = 50_000;

/** core(5), coredump_filter. */
const USUAL_DUMP = 0x33;

export const inheritedNarrower: Check = {
  title: "The tree will have less than is usual of what no image has",
  reads:
    "of recriu: Cpus_allowed_list, NoNewPrivs and Speculation_Store_Bypass in /proc/self/status, ioprio_get(2), timer slack, get_mempolicy(2), coredump_filter, core scheduling; the processors of its cpuset",
  why:
    "CRIU saves neither the processors that a task may run on, nor its I/O class, timer slack, memory policy, coredump_filter and core scheduling: a restored " +
    "tree has those of the command that restored it. A restore from a service that is bound to a processor, or from under `ionice -c 3`, binds the tree, too, and nothing " +
    "says so later. What the tree itself had cannot be told.",
  proof: "harm",
  blocks: false,
  run: ({ host, checkpoint, settings, request }) =>
    [...narrowOf(host, checkpoint)].map(({ subject, message, prefix, text }): Problem => ({
      severity: "warning",
      image: "",
      subject,
      message: `${message}; the tree will have the same, whatever it had`,
      remedy: {
        kind: "human",
        text: text ?? "restore without it, if the tree shall not have it",
        command:
          prefix === undefined
            ? null
            : sh`${prefix} recriu restore ${again({ settings, request })}`,
      },
    })),
};

function* narrowOf(host: Host, checkpoint: Checkpoint): Generator<Narrow> {
  const status = host.read("/proc/self/status") ?? "";
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
  const allowed = numbers(field("Cpus_allowed_list") ?? "");
  const list = usualProcessors(host);
  const usual = numbers(list);
  if (allowed !== undefined && usual !== undefined && allowed.size > 0)
    if ([...usual].some((cpu) => !allowed.has(cpu)))
      yield {
        subject: "processors",
        message: `recriu may run on the processors ${field("Cpus_allowed_list")} only, of ${list}`,
        prefix: ["taskset", "-c", list],
      };
  const { io, timerSlack, memoryPolicy, coreCookie } = host.attributes;
  if (io?.class === IDLE || (io?.class === BEST_EFFORT && io.level > USUAL_LEVEL))
    yield {
      subject: "I/O class",
      message: `recriu has the I/O class ${io.class === IDLE ? "idle" : `best effort, level ${io.level}`}`,
      prefix: ["ionice", "-c", "none"],
    };
  // From CRIU 4.3 on the images have it; what an older one does not set, recriu does at the gate.
  const saved = livingTasks(checkpoint).every(({ threads }) =>
    threads.every(({ core }) => core?.thread_core?.timerslack_ns !== undefined),
  );
  if (!saved && timerSlack !== undefined && timerSlack > USUAL_SLACK_NS)
    yield {
      subject: "timer slack",
      message: `recriu's timers may be ${timerSlack} ns late, usual are ${USUAL_SLACK_NS}`,
    };
  if (memoryPolicy !== undefined && memoryPolicy !== 0)
    yield {
      subject: "memory policy",
      message: "recriu has a memory policy of its own, by which it takes memory from some nodes",
      text: "restore from a shell or service that is not under numactl(8), if the tree shall not have it",
    };
  const filter = Number.parseInt(host.read("/proc/self/coredump_filter") ?? "", 16);
  if ((USUAL_DUMP & ~filter) !== 0 && !Number.isNaN(filter))
    yield {
      subject: "coredump_filter",
      message: `recriu's core dumps leave out what is usually in them: its coredump_filter is 0x${filter.toString(16)}`,
      text: `write 0x${USUAL_DUMP.toString(16)} to /proc/self/coredump_filter of the shell that restores`,
    };
  if (coreCookie)
    yield {
      subject: "core scheduling",
      message:
        "recriu has a cookie of core scheduling, and shares its processor with no other threads",
    };
  // Of those that had it the images say so.
  const free = livingTasks(checkpoint).some(
    ({ core }) => core?.thread_core?.creds?.no_new_privs !== 1,
  );
  if (field("NoNewPrivs") === "1" && free)
    yield {
      subject: "no_new_privs",
      message: "recriu runs with no_new_privs, under which no program gains rights (sudo, ping)",
      text: "restore from a shell or service without it (NoNewPrivileges=no), if the tree shall not have it",
    };
  const store = field("Speculation_Store_Bypass") ?? "";
  if (/^thread (force )?mitigated/.test(store))
    yield {
      subject: "speculation",
      message: `recriu is slowed down against speculative store bypass (${store})`,
    };
}

/** Those of recriu's cpuset, which the cgroups decide; else all that are there. */
function usualProcessors(host: Host): string {
  const path = host.read("/proc/self/cpuset")?.trim();
  const places = [
    [["cpuset"], "cpuset.effective_cpus"],
    [[""], "cpuset.cpus.effective"],
  ] as const;
  for (const [controllers, file] of path === undefined ? [] : places) {
    const directory = cgroupDirectory(host.cgroupMounts, controllers, path!);
    const found = directory && host.read(`${directory}/${file}`)?.trim();
    if (found) return found;
  }
  return host.read("/sys/devices/system/cpu/online")?.trim() ?? "";
}
