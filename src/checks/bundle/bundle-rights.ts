/** What the container's threads may do, held against its bundle: capabilities, no_new_privs, seccomp, labels. */
import type { Checkpoint, Thread } from "../../image/index.ts";
import type { CheckId } from "../catalogue.ts";
import type { Context, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import type { Creds } from "../rights/capabilities.ts";
import { notThisContainer } from "./bundle.ts";

interface Held {
  task: number;
  thread: Thread;
}

/**
 * What is wrong with each living thread, told once of the first that has it. What forked tasks share is one object: `of`
 * names it, and each is looked at once.
 */
export function perThread(
  id: CheckId,
  { checkpoint }: Context,
  of: (thread: Thread) => object | undefined,
  wrong: (thread: Thread) => { subject: string; message: string } | undefined,
): Problem[] {
  const seen = new Set<object | undefined>();
  const found = new Map<string, Problem>();
  for (const { task, thread } of threadsOf(checkpoint)) {
    const object = of(thread);
    if (object !== undefined && seen.has(object)) continue;
    seen.add(object);
    const problem = wrong(thread);
    if (problem === undefined || found.has(problem.subject)) continue;
    found.set(problem.subject, {
      severity: "blocker",
      task,
      image: `core-${thread.tid}.img`,
      subject: problem.subject,
      message: `thread ${thread.tid} ${problem.message}`,
      remedy: notThisContainer(id),
    });
  }
  return [...found.values()];
}

const threadsOf = (checkpoint: Checkpoint): Held[] =>
  livingTasks(checkpoint).flatMap(({ pid, threads }) =>
    threads.map((thread) => ({ task: pid, thread })),
  );

export const credsOf = ({ core }: Thread): Creds | undefined => core?.thread_core?.creds;
