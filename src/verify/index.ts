/** Compare a live tree with the checkpoint it was restored from. */
import type { Request } from "../criu/index.ts";
import type { Checkpoint } from "../image/index.ts";
import { binaryFormats } from "./binary-formats.ts";
import { cgroups } from "./cgroups.ts";
import { credentials } from "./credentials.ts";
import { descriptors, otherDescriptors } from "./descriptors.ts";
import type { Difference, Facet, Final, NotCompared } from "./facet.ts";
import { limits, ownProcess, process } from "./limits.ts";
import { connections, inetSockets } from "./inet.ts";
import { labels } from "./labels.ts";
import { openFiles } from "./open/index.ts";
import { layout } from "./layout.ts";
import type { LiveTree } from "./live.ts";
import { locks } from "./locks.ts";
import { mappings } from "./mappings.ts";
import { compareMemory } from "./memory.ts";
import { mounts } from "./mounts.ts";
import { namespaces } from "./namespaces.ts";
import { command, executable, rootDirectory, workingDirectory } from "./program.ts";
import { sched } from "./sched.ts";
import { signals } from "./signals.ts";
import { timers } from "./timers.ts";
import { socketOptions } from "./socket-options.ts";
import { unixPeers, unixSockets } from "./sockets.ts";
import { tasks, threads } from "./tasks.ts";
import { terminals } from "./terminals.ts";
export { TIOCGEXCL } from "./terminals.ts";

export type { Difference, Final } from "./facet.ts";
export { hasConnections } from "./inet.ts";
export { flagsIn, type MountSpace, mountSpaces, ownFlags, RESTRICTIONS } from "./mounts.ts";
export { fromHex, GIVEN_BY_CRIU } from "./open/events.ts";
export { fieldOf } from "./open/file.ts";
export { wantedMask, watchesOf } from "./open/watches.ts";
export { ownUsers } from "./facet.ts";
export {
  findRoot,
  closeTree as letGo,
  type LiveTask,
  type LiveTree,
  lookAgain as later,
  liveTree,
  runsProgramOf,
} from "./live.ts";

const facets: readonly Facet[] = [
  tasks,
  threads,
  namespaces,
  descriptors,
  otherDescriptors,
  openFiles,
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
  mounts,
  layout,
  binaryFormats,
  locks,
  cgroups,
  process,
  ownProcess,
];

export interface Verdict {
  result: "match" | "mismatch" | "skipped";
  /** How many values were compared. */
  compared: number;
  /** How many saved values could not be compared, and why. They are not called equal. */
  not_compared: number;
  left_out: NotCompared[];
  differences: Difference[];
  /** Bytes of memory that were compared; absent where it was not asked for. */
  memory?: number;
}

export const skipped: Verdict = {
  result: "skipped",
  compared: 0,
  not_compared: 0,
  left_out: [],
  differences: [],
};

/** When a tree is looked at. */
interface Moment {
  /** Which facets are compared, by when they are final; all when it is not said. */
  final?: readonly Final[];
  /** The priority of real-time threads without a saved one. */
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
  const leftOut: NotCompared[] = [];
  let compared = 0;
  const running = live.stopped ? live : withoutEnded(live);
  const early = final !== undefined && !final.includes("state");
  for (const facet of facets) {
    if (final !== undefined && !final.includes(facet.final)) continue;
    const grade = facet.moving && !live.stopped ? "changed" : "fatal";
    facet.compare(
      { checkpoint, live: facet === tasks ? live : running, request, lostPriority, early },
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
        alike(count) {
          compared += count;
        },
        leftOut(reason, count = 1) {
          if (count > 0) leftOut.push({ facet: facet.id, reason, count });
        },
      },
    );
  }
  return verdict(compared, leftOut, differences);
}

/** Compare what the tree has in memory, too: `verdict` with that added. */
export function withMemory(
  said: Verdict,
  checkpoint: Checkpoint,
  request: Request,
  live: LiveTree,
): Verdict {
  const subject = { checkpoint, live, request, lostPriority: undefined, early: false };
  const found = compareMemory(subject, live.stopped ? "fatal" : "changed");
  const differences = [...said.differences, ...found.differences];
  const leftOut = [...said.left_out, ...found.left_out];
  return { ...verdict(said.compared, leftOut, differences), memory: found.memory };
}

/** A task that has ended since has nothing left that could be compared; that it has, the first facet says. */
const withoutEnded = (live: LiveTree): LiveTree => ({
  ...live,
  tasks: new Map(
    [...live.tasks].filter(([, { task, state }]) => state !== "Z" || task.state === "dead"),
  ),
});

/** What two comparisons of one tree say together. */
export const merged = (one: Verdict, other: Verdict): Verdict =>
  verdict(
    one.compared + other.compared,
    [...one.left_out, ...other.left_out],
    [...one.differences, ...other.differences],
  );

function verdict(
  compared: number,
  leftOut: readonly NotCompared[],
  differences: Difference[],
): Verdict {
  const fatal = differences.some((difference) => difference.class === "fatal");
  const groups = new Map<string, NotCompared>();
  for (const each of leftOut) {
    const group = `${each.facet}: ${each.reason}`;
    groups.set(group, { ...each, count: each.count + (groups.get(group)?.count ?? 0) });
  }
  return {
    result: fatal ? "mismatch" : "match",
    compared,
    not_compared: leftOut.reduce((sum, { count }) => sum + count, 0),
    left_out: [...groups.values()],
    differences,
  };
}
