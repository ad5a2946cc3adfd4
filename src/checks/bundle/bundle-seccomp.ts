import type { Checkpoint } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { MODE_FILTER, seccompOf } from "../rights/seccomp.ts";
import { perThread } from "./bundle-rights.ts";

const BPF_RETURN = 0x06;

const SECCOMP_RET_ALLOW = 0x7fff0000;

/** Whether a filter's program ends in nothing but permission: each return of a constant allows, and there is no other. */
function allowsAll(program: Uint8Array): boolean {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  for (let at = 0; at + 8 <= program.length; at += 8) {
    const code = view.getUint16(at, true);
    if ((code & 0x07) !== BPF_RETURN) continue;
    if (code !== BPF_RETURN || view.getUint32(at + 4, true) !== SECCOMP_RET_ALLOW) return false;
  }
  return true;
}

type Filter = NonNullable<Checkpoint["seccomp"]>["seccomp_filters"][number];

/** A chain of filters, the last one first; undefined where it is not whole: that is for seccomp-filter-missing to tell. */
function chainOf({ seccomp }: Checkpoint, last: number): Filter[] | undefined {
  const chain = new Set<Filter>();
  for (let index: number | undefined = last; index !== undefined;) {
    const filter: Filter | undefined = seccomp?.seccomp_filters[index];
    if (filter === undefined || chain.has(filter)) return undefined;
    chain.add(filter);
    index = filter.prev;
  }
  return [...chain];
}

const SECCOMP_FILTER_FLAG_TSYNC = 1;

export const bundleSeccomp: Check = {
  title: "A task has no seccomp filter, and the container's bundle asks for one",
  reads: "linux.seccomp in config.json; seccomp_mode and seccomp_filter in core-*.img, seccomp.img",
  why:
    "A container's filter is set before its program starts, and no process of it can take it off. CRIU sets the filters of the images, whatever the configuration says. That " +
    "there is one, and that it refuses something, is compared; which system calls it refuses is not.",
  proof: "harm",
  run(context) {
    const { bundle, checkpoint } = context;
    if (bundle?.seccomp !== true) return [];
    const leaders = new Map(
      livingTasks(checkpoint).flatMap(({ threads, core }) => threads.map((each) => [each, core])),
    );
    const chains = new Map<number, Filter[] | undefined>();
    const chain = (last: number) => {
      if (!chains.has(last)) chains.set(last, chainOf(checkpoint, last));
      return chains.get(last);
    };
    return perThread(
      "bundle-seccomp",
      context,
      () => undefined,
      (thread) => {
        const leader = leaders.get(thread);
        let { mode, filter } = seccompOf(thread.core, leader);
        if (mode === 0) {
          // Filters that all threads of a task had are saved with its leader, which hands them on.
          const first = seccompOf(leader, leader);
          const shared = first.mode === MODE_FILTER ? chain(first.filter) : undefined;
          if (shared?.every(({ flags = 0 }) => flags & SECCOMP_FILTER_FLAG_TSYNC))
            ({ mode, filter } = first);
        }
        if (mode === 0)
          return {
            subject: "no filter",
            message: "would have no seccomp filter, which the container's bundle asks for",
          };
        if (mode !== MODE_FILTER || !chain(filter)?.every((each) => allowsAll(each.filter.slice())))
          return undefined;
        return {
          subject: `filter ${filter}`,
          message:
            "has a seccomp filter that allows everything; that of the container's bundle does not",
        };
      },
    );
  },
};
