/** What is found on this machine, and not met in a namespace of the tree's own. */
import type { IsolationKind, Network } from "../criu/index.ts";
import { sh } from "../sys/shell.ts";
import type { Context, Finding, PutFile } from "./finding.ts";
import { privateDirOf } from "./private-dirs.ts";

const texts: Record<IsolationKind, string> = {
  pid: "give the tree a pid namespace of its own: its tasks have their numbers there, and others on this machine",
  mount: "give the tree a mount namespace of its own",
  pty: "give the tree terminals of its own: /dev/pts is another there",
  net: "give the tree a network of its own: nobody outside reaches it there, and it reaches nobody",
  ipc: "give the tree System V objects and POSIX queues of its own",
  uts: "give the tree a host name of its own",
};

const overText = ({ path, size, mode, uid, gid }: PutFile): string =>
  `bind the file that was taken along over it, for the tree alone: ${path} is there of ${size} bytes, mode ${mode.toString(8).padStart(4, "0")}, owner ${uid}:${gid}, and only to be read`;

/** The words that ask for these kinds. */
export const isolationOption = (
  kinds: readonly IsolationKind[],
  network: Network = "own",
): string => `--isolate=${kinds.map((kind) => wordOf(kind, network)).join(",")}`;

const wordOf = (kind: IsolationKind, network: Network): string =>
  kind !== "net" || network === "own"
    ? kind
    : `net:${network === "veth" ? network : network.named}`;

export const isolateDirOption = (dir: string): string => `--isolate-dir=${dir}`;

/** The finding as it is for a tree that has what the context gives it of its own. */
export function isolated(finding: Finding, context: Context): Finding {
  const { isolate, apart, over, severity } = finding;
  if (severity === "info") return finding;
  const dir = apart === null ? undefined : privateDirOf(apart.dir, context);
  const [text, option] =
    isolate !== null && context.isolate.has(isolate)
      ? [over === null ? texts[isolate] : overText(over), isolationOption([isolate])]
      : dir !== undefined
        ? [
            `give the tree ${dir} for itself: what it makes and removes there is on this machine as it was${apart?.put === undefined ? "" : `; ${apart.put.path} is there of ${apart.put.size} bytes, as it was taken along`}`,
            isolateDirOption(dir),
          ]
        : [];
  if (text === undefined || option === undefined) return finding;
  return { ...finding, remedy: { kind: "isolate", text, command: sh`${[option]}` } };
}
