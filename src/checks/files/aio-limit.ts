import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { raised } from "../settings.ts";
import { setting } from "./kernel-objects.ts";

/** Pages of a ring that Linux makes for so many requests (fs/aio.c), in bytes. */
function ringLength(requests: number, processors: number, page: number): number {
  const events = Math.max(requests, processors * 4) * 2 + 2;
  return Math.ceil((32 + events * 32) / page) * page;
}

/** Processors that this machine could ever have. */
function possibleProcessors({ host }: Context): number | undefined {
  const last = /(\d+)\s*$/.exec(host.read("/sys/devices/system/cpu/possible") ?? "")?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}

export const aioLimit: Check = {
  title: "Asynchronous I/O of a task cannot be set up as it was",
  reads: "aios in mm-*.img; fs.aio-nr, fs.aio-max-nr, /sys/devices/system/cpu/possible",
  why:
    "All asynchronous I/O contexts of a machine share one limit. And each has a ring in the task's memory, which Linux makes larger where " +
    "there may be more processors: a small ring of a small machine cannot be made on a large one.",
  proof: "criu",
  answers: ["host", "person"],
  run(context) {
    const all = livingTasks(context.checkpoint).flatMap((task) =>
      (task.mm?.aios ?? []).map((ring) => ({ task: task.pid, ring })),
    );
    const most = setting(context, "fs/aio-max-nr");
    const used = setting(context, "fs/aio-nr");
    const findings: Problem[] = [];
    const wanted = all.reduce((sum, { ring }) => sum + ring.nr_req, 0);
    const shared = { severity: "blocker" } as const;
    if (wanted > 0 && most !== undefined && used !== undefined && used + wanted > most)
      findings.push({
        ...shared,
        task: all[0]!.task,
        image: `mm-${all[0]!.task}.img`,
        subject: "fs.aio-max-nr",
        message: `the tree needs ${wanted} asynchronous I/O events, ${used} are in use, and fs.aio-max-nr is ${most}`,
        criu_message: "Ring setup failed with -11",
        remedy: raised("fs/aio-max-nr", { from: most, to: used + wanted, stays: false }),
      });
    const processors = possibleProcessors(context);
    if (processors === undefined) return findings;
    for (const { task, ring } of all) {
      const length = ringLength(ring.nr_req, processors, context.checkpoint.pageSize);
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
