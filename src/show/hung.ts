/** Tasks in the order of their tree, as a drawing of it needs them. */
import type { ShownTask } from "./tasks.ts";

export interface Hung {
  readonly task: ShownTask;
  /** For each level below the top, down to its own: whether a sibling follows there. Empty: it is at the top. */
  readonly follows: readonly boolean[];
}

/** Deeper ones are put beside each other: images can hold a chain of any length. */
const DEEPEST = 40;

/** Every task once, children behind their parents, whatever the images say who their parents are. */
export function hungTasks(tasks: readonly ShownTask[]): Hung[] {
  const children = Map.groupBy(tasks, ({ ppid }) => ppid);
  const known = new Set(tasks.map(({ pid }) => pid));
  const hung: Hung[] = [];
  const seen = new Set<number>();
  const hang = (task: ShownTask, follows: readonly boolean[]): void => {
    if (seen.has(task.pid)) return;
    seen.add(task.pid);
    hung.push({ task, follows });
    if (follows.length === DEEPEST) return;
    const below = children.get(task.pid) ?? [];
    for (const [index, child] of below.entries())
      hang(child, [...follows, index < below.length - 1]);
  };
  for (const task of tasks) if (!known.has(task.ppid) || task.ppid === task.pid) hang(task, []);
  for (const task of tasks) hang(task, []);
  return hung;
}
