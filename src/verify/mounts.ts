/** Mounts of each mount namespace that CRIU made anew: where one is, its flags, whether it shares (proc_pid_mountinfo(5)). */
import { unescapeMountinfo } from "../host/cgroups.ts";
import { type Checkpoint, type MntEntry, mountpointOf, seesAllMounts } from "../image/index.ts";
import type { Facet } from "./facet.ts";
import type { LiveTask, LiveTree } from "./live.ts";

/** mnt_entry.flags (MS_*, mount(2)), by the words of mountinfo. */
const words: readonly [flag: number, word: string][] = [
  [0x1, "ro"],
  [0x2, "nosuid"],
  [0x4, "nodev"],
  [0x8, "noexec"],
  [0x400, "noatime"],
  [0x800, "nodiratime"],
  [0x200000, "relatime"],
];
const UNBINDABLE = 0x20000;

export const mounts: Facet = {
  id: "mounts",
  final: "state",
  moving: true,
  compare({ checkpoint, live }, { same, leftOut }) {
    for (const { task, entries, saved, now } of mountSpaces(checkpoint, live)) {
      if (now === undefined) {
        leftOut("mounts of a namespace that cannot be read", entries.length);
        continue;
      }
      for (const [at, how] of saved) {
        const found = now.get(at);
        // What is mounted there is the tree's, only not as it was.
        same(
          task.pid,
          `mount at ${at}`,
          how,
          found,
          found && live.stopped ? "tolerated" : undefined,
        );
      }
      for (const [at, how] of now)
        if (!saved.has(at)) same(task.pid, `mount at ${at}`, "none", how);
    }
  },
};

/** A mount namespace of the tree's own: a task that sees all of it, and by its places what was mounted there, and what is. */
export interface MountSpace extends LiveTask {
  readonly entries: readonly MntEntry[];
  readonly saved: ReadonlyMap<string, string>;
  /** undefined: it cannot be read. */
  readonly now: ReadonlyMap<string, string> | undefined;
}

export function mountSpaces(checkpoint: Checkpoint, { tasks }: LiveTree): MountSpace[] {
  const seen = new Set<number>();
  return [...tasks.values()].flatMap((live) => {
    const id = live.task.ids?.mnt_ns_id;
    const entries = id === undefined || seen.has(id) ? [] : checkpoint.mounts(id);
    // A task with a root of its own sees only what is below it.
    if (id === undefined || entries.length === 0 || !seesAllMounts(checkpoint, live.task))
      return [];
    seen.add(id);
    const text = live.proc.read("mountinfo");
    const now = text === undefined ? undefined : byPlace(text.split("\n").flatMap(parsed));
    return [{ ...live, entries, saved: byPlace(entries.map(shown)), now }];
  });
}

/** Of mnt_entry.flags what a mount says of itself. */
export const ownFlags = ({ flags }: MntEntry): number =>
  words.reduce((all, [flag]) => all | (flags & flag), 0);

/** MS_RDONLY, MS_NOSUID, MS_NODEV and MS_NOEXEC: what is not to be done there. */
export const RESTRICTIONS = 0xf;

/** The flags in `how` of a MountSpace; undefined where that is of several mounts, one over the other. */
export function flagsIn(how: string): number | undefined {
  const has = new Set(how.split(" "));
  return how.includes(",")
    ? undefined
    : words.reduce((all, [flag, word]) => (has.has(word) ? all | flag : all), 0);
}

type Shown = [at: string, how: string];

function shown(entry: MntEntry): Shown {
  const kept = words.filter(([flag]) => entry.flags & flag).map(([, word]) => word);
  const shares = [
    ...(entry.shared_id ? ["shared"] : []),
    ...(entry.master_id ? ["slave"] : []),
    ...(entry.flags & UNBINDABLE ? ["unbindable"] : []),
  ];
  return [mountpointOf(entry), [...kept, ...shares].join(" ")];
}

const row = /^\d+ \d+ \S+ \S+ (\S+) (\S+) (.*?)- /;

function parsed(line: string): Shown[] {
  const [, at, options, optional] = row.exec(line) ?? [];
  if (at === undefined || options === undefined || optional === undefined) return [];
  const has = new Set(options.split(","));
  const shares = [
    ...(optional.includes("shared:") ? ["shared"] : []),
    ...(optional.includes("master:") ? ["slave"] : []),
    ...(optional.includes("unbindable") ? ["unbindable"] : []),
  ];
  const kept = words.map(([, word]) => word).filter((word) => has.has(word));
  return [[unescapeMountinfo(at), [...kept, ...shares].join(" ")]];
}

/** Of several mounts at one place, in whatever order they are listed. */
const byPlace = (all: readonly Shown[]): Map<string, string> =>
  new Map(
    [...Map.groupBy(all, ([at]) => at)].map(([at, there]) => [
      at,
      there
        .map(([, how]) => how || "rw")
        .toSorted()
        .join(", "),
    ]),
  );
