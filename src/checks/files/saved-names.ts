/** What the images say of a path, by the names of all that the tree has open: looked up, as both can be many. */
import { fromBytes } from "../../image/text.ts";
import type { Checkpoint } from "../../image/index.ts";

interface Saved {
  name: string;
  /** Of a file or directory; undefined where the images have none. */
  mode: number | undefined;
}

/** In ascending order of the names; several checks ask. */
const cache = new WeakMap<Checkpoint, readonly Saved[]>();

function savedNames(checkpoint: Checkpoint): readonly Saved[] {
  let names = cache.get(checkpoint);
  if (names === undefined) {
    const all: Saved[] = [];
    for (const { reg, usk } of checkpoint.openFiles.values())
      if (reg !== undefined) all.push({ name: reg.name, mode: reg.mode });
      else if (usk !== undefined) all.push({ name: fromBytes(usk.name), mode: undefined });
    names = all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    cache.set(checkpoint, names);
  }
  return names;
}

/** The first that is `name` or comes after it. */
function from(names: readonly Saved[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (names[middle]!.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The mode of the file or directory of that name, where one is open; undefined: the images do not say. */
export function savedMode(checkpoint: Checkpoint, name: string): number | undefined {
  const names = savedNames(checkpoint);
  for (let at = from(names, name); names[at]?.name === name; at += 1)
    if (names[at]!.mode !== undefined) return names[at]!.mode;
  return undefined;
}

/** Whether something below the directory `path` is open. */
export function hasBelow(checkpoint: Checkpoint, path: string): boolean {
  const names = savedNames(checkpoint);
  const below = `${path.replace(/\/$/, "")}/`;
  return names[from(names, below)]?.name.startsWith(below) ?? false;
}
