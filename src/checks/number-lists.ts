/** Lists of processors and memory nodes as the kernel writes them: cpuset(7), List format. */

/** Numbers of a list like `0-3,7`; undefined when it is none. */
export function numbers(list: string): Set<number> | undefined {
  const found = new Set<number>();
  for (const part of list.trim().split(",")) {
    if (part === "") continue;
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) > 65_535) return undefined;
    for (let n = Number(from); n <= Number(to); n++) found.add(n);
  }
  return found;
}
