/** What no look at the images can hold an untrusted tree back from: all that its own rights allow once it runs. */
import type { Check, Context } from "../finding.ts";
import { capabilityName, numbersOf, setOf, threadsWithCreds } from "../rights/capabilities.ts";

/** Namespaces of its own that keep a tree apart; what it has not, it shares with this machine. */
const kinds = [
  ["mnt", "files"],
  ["pid", "processes"],
  ["net", "network"],
  ["user", "users"],
] as const;

export const untrustedRoot: Check = {
  title: "An untrusted tree would run with root's rights on this machine",
  reads: "credentials in core-*.img; namespaces in ids-*.img and inventory.img",
  why:
    "What CRIU does for the tree is looked at, not what the tree does once it runs: a task of root's, or with root's capabilities, can open any file " +
    "that its namespaces show it. Only a user namespace of its own, or a virtual machine, holds it back.",
  proof: "harm",
  blocks: false,
  run(context: Context) {
    const { checkpoint, namespaces, settings } = context;
    if (!settings.untrusted || namespaces.created.user) return [];
    const found = threadsWithCreds(checkpoint).find(
      ({ creds }) => creds.euid === 0 || creds.suid === 0 || setOf(creds.cap_prm) !== 0n,
    );
    if (found === undefined) return [];
    const { creds, task } = found;
    const capabilities = numbersOf(setOf(creds.cap_prm));
    const names =
      capabilities.length > 4
        ? `${capabilities.length} capabilities`
        : capabilities.map(capabilityName).join(", ") || "no capability";
    const shares = kinds.flatMap(([kind, what]) => (namespaces.created[kind] ? [] : [what]));
    return [
      {
        severity: "warning",
        task,
        image: `core-${found.thread.tid}.img`,
        subject: `task ${task}`,
        message: `task ${task} would run as user ${creds.euid} with ${names}, sharing this machine's ${shares.join(", ")}`,
        remedy: {
          kind: "human",
          text: "restore it in a virtual machine, or only what you would run",
        },
      },
    ];
  },
};
