/** Compare a live tree with the checkpoint it was restored from. */
import type { Request } from "../criu/index.ts";
import type { Checkpoint } from "../image/index.ts";
import { cgroups } from "./cgroups.ts";
import { credentials } from "./credentials.ts";
import { descriptors, otherDescriptors } from "./descriptors.ts";
import type { Difference, Facet, Final, NotCompared } from "./facet.ts";
import { limits, ownProcess, process } from "./limits.ts";
import { connections, inetSockets } from "./inet.ts";
import { labels } from "./labels.ts";
import { layout } from "./layout.ts";
import type { LiveTree } from "./live.ts";
import { locks } from "./locks.ts";
import { mappings } from "./mappings.ts";
import { compareMemory } from "./memory.ts";
import { namespaces } from "./namespaces.ts";
import { command, executable, rootDirectory, workingDirectory } from "./program.ts";
import { sched } from "./sched.ts";
import { signals } from "./signals.ts";
import { timers } from "./timers.ts";
import { socketOptions } from "./socket-options.ts";
import { unixPeers, unixSockets } from "./sockets.ts";
import { tasks, threads } from "./tasks.ts";
import { terminals } from "./terminals.ts";

export type { Difference, Final, NotCompared } from "./facet.ts";
export { hasConnections } from "./inet.ts";
export { findRoot, letGo, type LiveTask, type LiveTree, later, liveTree } from "./live.ts";

const facets: readonly Facet[] = [
  tasks,
  threads,
  namespaces,
  descriptors,
  otherDescriptors,
  unixSockets,
  unixPeers,
  inetSockets,
  connections,
  socketOptions,
  terminals,
  command,
  executable,
  workingDirectory,
  rootDirectory,
  credentials,
  labels,
  sched,
  limits,
  signals,
  timers,
  mappings,
  layout,
  locks,
  cgroups,
  process,
  ownProcess,
];

export interface Verdict {
  result: "match" | "mismatch" | "skipped";
  /** How many values were compared. */
  compared: number;
  differences: Difference[];
  /** Bytes of memory that were compared, and what of it was not; absent where nobody asked. */
  memory?: number;
  not_compared?: NotCompared[];
}

export const skipped: Verdict = { result: "skipped", compared: 0, differences: [] };

/** When a tree is looked at. */
export interface Moment {
  /** Which facets are compared, by when they are final; all when it is not said. */
  final?: readonly Final[];
  /** What real-time threads were given whose priority was not saved. */
  lostPriority?: number | undefined;
}

/** Compare a tree with the checkpoint that it was restored from. */
export function verify(
  checkpoint: Checkpoint,
  request: Request,
  live: LiveTree,
  { final, lostPriority }: Moment,
): Verdict {
  const differences: Difference[] = [];
  let compared = 0;
  for (const facet of facets) {
    if (final !== undefined && !final.includes(facet.final)) continue;
    const grade = facet.moving && !live.stopped ? "tolerated" : "fatal";
    facet.compare(
      { checkpoint, live, request, lostPriority },
      {
        same(task, what, expected, found, unequal = grade) {
          compared += 1;
          if (String(expected) === String(found)) return;
          differences.push({
            facet: facet.id,
            task,
            expected: `${what}: ${expected}`,
            found: found === undefined ? "nothing" : String(found),
            class: unequal,
          });
        },
      },
    );
  }
  return verdict(compared, differences);
}

/** Compare what the tree has in memory, too: `verdict` with that added. */
export function withMemory(
  said: Verdict,
  checkpoint: Checkpoint,
  request: Request,
  live: LiveTree,
): Verdict {
  const subject = { checkpoint, live, request, lostPriority: undefined };
  const { differences, ...more } = compareMemory(subject, live.stopped ? "fatal" : "tolerated");
  return { ...verdict(said.compared, [...said.differences, ...differences]), ...more };
}

/** What two comparisons of one tree say together. */
export const both = (one: Verdict, other: Verdict): Verdict =>
  verdict(one.compared + other.compared, [...one.differences, ...other.differences]);

function verdict(compared: number, differences: Difference[]): Verdict {
  const fatal = differences.some((difference) => difference.class === "fatal");
  return { result: fatal ? "mismatch" : "match", compared, differences };
}
