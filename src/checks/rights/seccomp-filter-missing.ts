import type { Check, Problem } from "../finding.ts";
import { filtered } from "./seccomp.ts";

/** Bytes of a BPF instruction. */
const INSTRUCTION_BYTES = 8;

export const seccompFilterMissing: Check = {
  title: "A thread's seccomp filter is not in the images",
  reads: "seccomp_mode and seccomp_filter in core-*.img, seccomp.img",
  why:
    "Filters stand in seccomp.img, each with a link to the one before. Without the image CRIU crashes in the task, a wrong number " +
    "stops it, and links in a circle keep it busy for ever.",
  proof: "criu",
  run(context) {
    const threads = filtered(context);
    if (threads.length === 0) return [];
    const entry = context.checkpoint.seccomp;
    const filters = entry?.seccomp_filters ?? [];
    // What is wrong with the chain that ends in a filter; undefined: nothing. Each is looked at once.
    const walks = new Map<number, string | undefined>();
    const wrong = (last: number): string | undefined => {
      const walked: number[] = [];
      const here = new Set<number>();
      let result: string | undefined;
      for (let index = last; ;) {
        if (walks.has(index)) {
          result = walks.get(index);
          break;
        }
        const filter = filters[index];
        if (here.has(index)) result = "circle";
        else if (filter === undefined) result = `Corrupted filter index`;
        else if (filter.filter.length % INSTRUCTION_BYTES !== 0) result = "Corrupted filter len";
        if (result !== undefined || filter === undefined) break;
        walked.push(index);
        here.add(index);
        if (filter.prev === undefined) break;
        index = filter.prev;
      }
      for (const index of walked) walks.set(index, result);
      return result;
    };
    const reported = new Set<number>();
    return threads.values().flatMap(({ task, tid, filter }): Problem[] => {
      const problem = wrong(filter);
      if (problem === undefined || reported.has(filter)) return [];
      reported.add(filter);
      const message =
        entry === undefined
          ? `thread ${tid} has seccomp filters, and seccomp.img is not there`
          : problem === "circle"
            ? `the seccomp filters of thread ${tid} are linked in a circle: CRIU would never end`
            : `filter ${filter} of thread ${tid}, or one before it, is damaged or not in seccomp.img`;
      return [
        {
          severity: "blocker",
          task,
          image: "seccomp.img",
          subject: `thread ${tid}`,
          message,
          criu_message:
            entry === undefined || problem === "circle" ? null : `${problem} on tid ${tid}`,
          remedy: {
            kind: "human",
            text: "take an intact copy of seccomp.img, or dump again",
          },
        },
      ];
    });
  },
};
