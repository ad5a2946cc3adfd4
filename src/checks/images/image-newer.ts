/** Images of a newer CRIU than the one that restores them. Fields that an older one does not know it skips: what stops it, or is lost so, is here. */
import { compareVersions, isBeyondKnown, knows, since } from "../../criu/index.ts";
import { file_entry } from "../../image/tables/files.ts";
import { userns_entry } from "../../image/tables/namespaces.ts";
import type { Checkpoint } from "../../image/index.ts";
import type { Check, Problem } from "../finding.ts";

/** fd_types of files.img that came after 3.17, with the first CRIU that knows them; the highest that any known CRIU knows. */
const types: Readonly<Record<number, string>> = { 20: since.pidfds };

const HIGHEST = 20;

const names: Record<number, string> = { 20: "a pidfd" };

export const imageNewer: Check = {
  title: "The images hold what this CRIU does not know",
  reads:
    "types in files.img, ucred in sk-queues.img, binfmt_misc in userns-*.img; the version of CRIU",
  why:
    "CRIU skips fields of an image that are newer than it is, but not an open file of a kind that it does not know. Without that file the " +
    "tree would not be the saved one, so nothing is left out: a newer CRIU has to restore it. " +
    "Since CRIU 4.3 the images have the sender of each message that waits in a Unix socket; an older CRIU sends them anew without, and a program that asks for senders (SO_PASSCRED) takes them for a stranger's. " +
    "Likewise the binary formats of a user namespace, which an older one leaves out.",
  proof: "criu",
  otherCriu: true,
  *run({ checkpoint, criu }): Generator<Problem> {
    const version = criu?.version;
    if (version === undefined) return;
    for (const { type, id } of checkpoint.values("files.img", file_entry)) {
      const first = types[type];
      if (first === undefined && type <= HIGHEST) continue;
      const unknown =
        first === undefined ? !isBeyondKnown(version) : compareVersions(version, first) < 0;
      if (!unknown) continue;
      yield {
        severity: "blocker",
        image: `files.img id 0x${id.toString(16)}`,
        subject: `file type ${type}`,
        message: `an open file is ${names[type] ?? `of type ${type}`}, which CRIU ${version} does not know`,
        criu_message: `Unknown file type ${type}`,
        remedy: {
          kind: "human",
          text: `restore with ${first === undefined ? "the CRIU that made the images" : `CRIU ${first} or later`} (--criu=PATH names it)`,
        },
      };
    }
    if (!knows(version, "sendersKept", true)) yield* lost(checkpoint, version);
  },
};

/** What a CRIU before 4.3 passes over, and cannot be given back from outside. */
function* lost(checkpoint: Checkpoint, version: string): Generator<Problem> {
  const problem = (image: string, subject: string, saved: string, does: string): Problem => ({
    severity: "warning",
    image,
    subject,
    message: `${saved} in the images; CRIU ${version} does not know that, and ${does}`,
    remedy: {
      kind: "human",
      text: `restore with CRIU ${since.sendersKept} or later (--criu=PATH names it)`,
    },
  });
  const sent = checkpoint.socketQueues.filter(({ ucred }) => ucred !== undefined).length;
  if (sent > 0) {
    const saved = `${sent} messages that wait in Unix sockets have their senders`;
    yield problem("sk-queues.img", "ucred", saved, "sends them anew as nobody");
  }
  for (const file of checkpoint.files) {
    if (!/^userns-\d+\.img$/.test(file)) continue;
    const formats = checkpoint.values(file, userns_entry)[0]?.binfmt_misc ?? [];
    if (formats.length === 0) continue;
    const saved = `binary formats of a user namespace (${formats.map(({ name }) => name).join(", ")}) are`;
    yield problem(file, "binfmt_misc", saved, "leaves them out");
  }
}
