/** What the container's threads may do, held against its bundle: capabilities, no_new_privs, seccomp, labels. */
import type { Checkpoint, Thread } from "../image/index.ts";
import { notThisContainer } from "./bundle.ts";
import type { Check, Context, Finding } from "./finding.ts";
import type { GrantedCapabilities, Grants } from "./grants.ts";
import { labelAfter, runningLsm } from "./lsm.ts";
import { livingTasks } from "./paths.ts";
import { capabilityName, type Creds, numbersOf, setOf } from "./rights.ts";
import { MODE_FILTER, seccompOf } from "./seccomp.ts";

interface Held {
  task: number;
  thread: Thread;
}

/**
 * What is wrong with each living thread, told once of the first that has it. What forked tasks share is one object: `of`
 * names it, and each is looked at once.
 */
function perThread(
  id: string,
  { checkpoint }: Context,
  of: (thread: Thread) => object | undefined,
  wrong: (thread: Thread) => { subject: string; message: string } | undefined,
): Finding[] {
  const seen = new Set<object | undefined>();
  const found = new Map<string, Finding>();
  for (const { task, thread } of threadsOf(checkpoint)) {
    const object = of(thread);
    if (object !== undefined && seen.has(object)) continue;
    seen.add(object);
    const problem = wrong(thread);
    if (problem === undefined || found.has(problem.subject)) continue;
    found.set(problem.subject, {
      id,
      severity: "blocker",
      task,
      image: `core-${thread.tid}.img`,
      subject: problem.subject,
      message: `thread ${thread.tid} ${problem.message}`,
      criu_message: null,
      remedy: notThisContainer(id),
    });
  }
  return [...found.values()];
}

const threadsOf = (checkpoint: Checkpoint): Held[] =>
  livingTasks(checkpoint).flatMap(({ pid, threads }) =>
    threads.map((thread) => ({ task: pid, thread })),
  );

const credsOf = ({ core }: Thread): Creds | undefined => core?.thread_core?.creds;

/**
 * The most that a process of the container can get: for root execve(2) makes the bounding set permitted, for others
 * set-user-ID programs do, but not under no_new_privs (capabilities(7), kernel/security/commoncap.c; seen with runc, crun).
 */
function reachable({ capabilities: granted, noNewPrivileges }: Grants): GrantedCapabilities {
  const { bounding, permitted, inheritable, ambient } = granted;
  const all = permitted | ambient | (noNewPrivileges ? 0n : bounding | inheritable);
  return { bounding, permitted: all, effective: all, inheritable: inheritable | all, ambient: all };
}

const sets = {
  bounding: "cap_bnd",
  permitted: "cap_prm",
  effective: "cap_eff",
  inheritable: "cap_inh",
  ambient: "cap_amb",
} as const satisfies Record<keyof GrantedCapabilities, keyof Creds>;

export const bundleCapabilities: Check = {
  id: "bundle-capabilities",
  title: "A task has capabilities that the container's bundle does not grant",
  reads: "process.capabilities and process.noNewPrivileges in config.json; creds in core-*.img",
  why:
    "CRIU gives each thread the capabilities of the images, whatever the configuration says. Fewer than the bundle's are in order, and so are those that a process of the " +
    "container can get itself: from the bounding set by execve(2), unless noNewPrivileges forbids it.",
  proof: "harm",
  run(context) {
    const { bundle } = context;
    if (bundle === undefined) return [];
    const most = reachable(bundle);
    return perThread("bundle-capabilities", context, credsOf, (thread) => {
      const creds = credsOf(thread);
      if (creds === undefined)
        return {
          subject: "credentials",
          message:
            "has no credentials in the images: nothing there keeps it to what the container's bundle grants",
        };
      const wider = (Object.keys(sets) as (keyof typeof sets)[]).flatMap((name) => {
        const more = setOf(creds[sets[name]]) & ~most[name];
        return more === 0n ? [] : [`${name}: ${numbersOf(more).map(capabilityName).join(", ")}`];
      });
      if (wider.length === 0) return undefined;
      return {
        subject: wider.join("; "),
        message: `has capabilities that the container's bundle does not grant (${wider.join("; ")})`,
      };
    });
  },
};

export const bundleNoNewPrivs: Check = {
  id: "bundle-no-new-privs",
  title: "A task may gain privileges, which the container's bundle forbids",
  reads: "process.noNewPrivileges in config.json; no_new_privs of creds in core-*.img",
  why:
    "With noNewPrivileges no set-user-ID program gives a process of the container anything, and none of them can take that back. CRIU sets it for the threads for which the " +
    "images have it, whatever the configuration says.",
  proof: "harm",
  run(context) {
    if (context.bundle?.noNewPrivileges !== true) return [];
    return perThread("bundle-no-new-privs", context, credsOf, (thread) =>
      credsOf(thread)?.no_new_privs
        ? undefined
        : {
            subject: "no_new_privs",
            message: "would not have no_new_privs, which the container's bundle asks for",
          },
    );
  },
};

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
  id: "bundle-seccomp",
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

export const bundleLabel: Check = {
  id: "bundle-label",
  title: "A task is not under the AppArmor profile or SELinux label of the container's bundle",
  reads:
    "process.apparmorProfile and process.selinuxLabel in config.json; lsm_profile of creds in core-*.img; --lsm-profile; /sys/kernel/security/apparmor, /sys/fs/selinux",
  why:
    "CRIU gives each thread the label of the images (or of --lsm-profile, where it had one), whatever the configuration says. Profiles below that of the bundle (`NAME//child`) and stacked " +
    "onto it (`NAME//&other`) are in order. Whether another label allows more, only the policy could tell. Where neither module runs, nothing is confined, whoever starts it.",
  proof: "images",
  run(context) {
    const runs = runningLsm(context);
    const wanted = runs === "none" ? undefined : context.bundle?.labels[runs];
    if (wanted === undefined) return [];
    return perThread("bundle-label", context, credsOf, (thread) => {
      const label = labelAfter(context, credsOf(thread)?.lsm_profile);
      if (label === wanted || label?.startsWith(`${wanted}//`)) return undefined;
      const under = label ? `under ${label}` : "unconfined";
      return {
        subject: label ?? "unconfined",
        message: `would be ${under}; the container's bundle asks for ${wanted}`,
      };
    });
  },
};
