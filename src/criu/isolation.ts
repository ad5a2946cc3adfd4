/** The namespaces of its own that a tree can be given (docs/isolation.md), as they are asked for by --isolate. */

/** In this order they are shown. */
export const isolationKinds = ["pid", "mount", "pty", "net", "ipc", "uts"] as const;
export type IsolationKind = (typeof isolationKinds)[number];

/** auto: what the findings need. Undefined: none. */
export type Isolation = "auto" | readonly IsolationKind[];

/** Which network `net` is: one that is made and leads nowhere, one with a pair to this machine, or one of ip-netns(8), by its name. */
export type Network = "own" | "veth" | { readonly named: string };

interface Asked {
  readonly isolate: Isolation;
  readonly network: Network;
}

const known = (word: string): word is IsolationKind => isolationKinds.some((kind) => kind === word);

const MADE = "veth";
const NAMED = "net:";

/** A name in /run/netns; undefined: it is none. */
function networkOf(name: string): Network | undefined {
  if (name === MADE) return MADE;
  return name === "" || name === "." || name === ".." || name.includes("/")
    ? undefined
    : { named: name };
}

/** What the value of --isolate asks for, "" where it has none; undefined: it is no such value. */
export function isolationOf(value: string): Asked | undefined {
  if (value === "" || value === "auto") return { isolate: "auto", network: "own" };
  const words = value.split(",").map((word) => word.trim());
  const named = words.find((word) => word.startsWith(NAMED));
  const network = named === undefined ? "own" : networkOf(named.slice(NAMED.length));
  const asked = words.map((word) => (word === named ? "net" : word));
  if (network === undefined || !asked.every(known)) return undefined;
  return { isolate: isolationKinds.filter((kind) => asked.includes(kind)), network };
}

/** Where ip-netns(8) has a network. */
export const pathOfNetwork = ({ named }: { readonly named: string }): string =>
  `/run/netns/${named}`;

/** With what comes along: an init of recriu's own is in a pid namespace, and its /proc in a mount namespace. */
export const withCompany = (kinds: readonly IsolationKind[]): readonly IsolationKind[] =>
  kinds.length === 0
    ? []
    : isolationKinds.filter((kind) => kind === "pid" || kind === "mount" || kinds.includes(kind));
