/** What is found on this machine, and not met in a namespace of the tree's own. */
import type { IsolationKind, Network } from "../criu/index.ts";
import { sh } from "../sys/shell.ts";
import type { Finding } from "./finding.ts";

const texts: Record<IsolationKind, string> = {
  pid: "give the tree a pid namespace of its own: its tasks have their numbers there, and others on this machine",
  mount: "give the tree a mount namespace of its own",
  pty: "give the tree terminals of its own: /dev/pts is another there",
  net: "give the tree a network of its own: nobody outside reaches it there, and it reaches nobody",
  ipc: "give the tree System V objects and POSIX queues of its own",
  uts: "give the tree a host name of its own",
};

/** The words that ask for these kinds. */
export const isolationOption = (
  kinds: readonly IsolationKind[],
  network: Network = "own",
): string => `--isolate=${kinds.map((kind) => wordOf(kind, network)).join(",")}`;

const wordOf = (kind: IsolationKind, network: Network): string =>
  kind !== "net" || network === "own"
    ? kind
    : `net:${network === "veth" ? network : network.named}`;

/** The finding as it is for a tree that has namespaces of its own of these kinds. */
export function isolated(finding: Finding, kinds: ReadonlySet<IsolationKind>): Finding {
  const { isolate } = finding;
  if (isolate === null || !kinds.has(isolate) || finding.severity === "info") return finding;
  const remedy = {
    kind: "isolate",
    text: texts[isolate],
    command: sh`${[isolationOption([isolate])]}`,
    isolate,
  } as const;
  return { ...finding, remedy };
}
