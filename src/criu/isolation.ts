/** The namespaces of its own that a tree can be given (docs/isolation.md), as they are asked for by --isolate. */

/** In this order they are shown. */
export const isolationKinds = ["pid", "mount", "pty"] as const;
export type IsolationKind = (typeof isolationKinds)[number];

/** auto: what the findings need. Undefined: none. */
export type Isolation = "auto" | readonly IsolationKind[];

const known = (word: string): word is IsolationKind => isolationKinds.some((kind) => kind === word);

/** What the value of --isolate asks for, "" where it has none; undefined: it is no such value. */
export function isolationOf(value: string): Isolation | undefined {
  if (value === "" || value === "auto") return "auto";
  const words = value.split(",").map((word) => word.trim());
  return words.every(known) ? isolationKinds.filter((kind) => words.includes(kind)) : undefined;
}

/** With what comes along: an init of recriu's own is in a pid namespace, and its /proc in a mount namespace. */
export const withCompany = (kinds: readonly IsolationKind[]): readonly IsolationKind[] =>
  kinds.length === 0
    ? []
    : isolationKinds.filter((kind) => kind === "pid" || kind === "mount" || kinds.includes(kind));
