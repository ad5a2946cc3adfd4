/** In which namespaces and directories of its own a tree would meet nothing that blocks. */
import { again, type Context, type Finding, notPrivate } from "../checks/index.ts";
import { isolateDirOption, isolationOption } from "../checks/isolated.ts";
import { type IsolationKind, isolationKinds, withCompany } from "../criu/index.ts";
import { sh, type ShellCommand } from "../sys/shell.ts";
import type { Plan } from "./index.ts";

/** What was found for a tree that has these for itself, and the plan for that. */
interface Seen {
  readonly context: Context;
  readonly findings: Finding[];
  readonly plan: Plan;
}

export interface Needed {
  readonly isolate: readonly IsolationKind[];
  readonly dirs: readonly string[];
}

/** The command that would restore what is blocked. */
export interface Would extends Needed {
  readonly command: ShellCommand;
}

/** Look again, each time with what answers what blocked, until that is no more. Undefined: nothing answers anything. */
export async function apartFor<S extends Seen>(
  seen: S,
  look: (needed: Needed) => Promise<S>,
): Promise<{ needed: Needed; seen: S } | undefined> {
  const { host, isolateDirs } = seen.context;
  let needed: Needed = { isolate: [], dirs: [] };
  for (let last = seen; ;) {
    const { unanswered } = last.plan;
    const kinds = new Set([...needed.isolate, ...unanswered.map(({ isolate }) => isolate)]);
    const isolate = isolationKinds.filter((kind) => kinds.has(kind));
    const dirs = new Set([...needed.dirs, ...unanswered.flatMap(({ apart }) => apart?.dir ?? [])]);
    const able = [...dirs].filter(
      (dir) => !isolateDirs.includes(dir) && notPrivate(dir, host) === undefined,
    );
    // What is in another of them is the tree's own with that.
    const within = (dir: string) => able.some((other) => dir.startsWith(`${other}/`));
    const more = { isolate, dirs: able.filter((dir) => !within(dir)) };
    if (more.isolate.length + more.dirs.length === needed.isolate.length + needed.dirs.length)
      return more.isolate.length + more.dirs.length === 0 ? undefined : { needed, seen: last };
    needed = more;
    last = await look({ isolate: withCompany([...isolate, "mount"]), dirs: more.dirs });
  }
}

/** It did not find these kinds by itself. */
const isAuto = /^--isolate(=auto)?$/;

export const wouldRestore = (context: Context, needed: Needed): Would => ({
  ...needed,
  command: sh`recriu restore ${[
    ...again(context).filter((word) => needed.isolate.length === 0 || !isAuto.test(word)),
    ...(needed.isolate.length === 0 ? [] : [isolationOption(needed.isolate)]),
    ...needed.dirs.map(isolateDirOption),
  ]}`,
});
