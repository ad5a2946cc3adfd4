import { knows } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";
import {
  CAP_SETGID,
  CAP_SETPCAP,
  CAP_SETUID,
  capabilitiesOfCriu,
  capabilityName,
  type Creds,
  groupsWords,
  has,
  idsOfCriu,
  knownCapabilities,
  numbersOf,
  setOf,
  setsGroups,
  threadsWithCreds,
} from "./capabilities.ts";
import { otherUsers } from "./capabilities.ts";

const list = (set: bigint): string => numbersOf(set).map(capabilityName).join(", ");

type Ids = ReturnType<typeof idsOfCriu>;

/** As /proc/PID/status orders them: real, effective, saved, file system. */
const usersOf = ({ uid, euid, suid, fsuid }: Creds) => [uid, euid, suid, fsuid];

const groupsOf = ({ gid, egid, sgid, fsgid }: Creds) => [gid, egid, sgid, fsgid];

const same = (a: readonly number[], b: readonly number[]) => a.join() === b.join();

/** The capability that CRIU lacks at its first step that needs one, and what it says there. */
function firstRefusal(
  creds: Creds,
  ids: Ids,
  permitted: bigint,
  known: bigint,
  securebits: number,
  isCompared: boolean,
): { lacks: bigint; criu_message: string } | undefined {
  const lacks = (number: number) => !has(permitted, number);
  const refusal = (set: bigint, criu_message: string) => ({ lacks: set, criu_message });
  const users = usersOf(creds);
  const groups = groupsOf(creds);
  // Groups come first.
  if (lacks(CAP_SETGID) && setsGroups(creds, ids.extra, isCompared))
    return refusal(1n << BigInt(CAP_SETGID), `${groupsWords(creds, isCompared)}: -1`);
  if (!isCompared || !same(users, ids.users) || !same(groups, ids.groups)) {
    if (lacks(CAP_SETPCAP))
      return refusal(1n << BigInt(CAP_SETPCAP), "Unable to set SECURE_NO_SETUID_FIXUP: -1");
    // Without the capability an id may still be exchanged for another one that the process has.
    if (lacks(CAP_SETUID) && users.slice(0, 3).some((id) => !ids.users.includes(id)))
      return refusal(
        1n << BigInt(CAP_SETUID),
        "Unable to set real, effective and saved user ID: -1",
      );
    if (lacks(CAP_SETGID) && groups.slice(0, 3).some((id) => !ids.groups.includes(id)))
      return refusal(
        1n << BigInt(CAP_SETGID),
        "Unable to set real, effective and saved group ID: -1",
      );
  }
  if (lacks(CAP_SETPCAP) && creds.secbits !== securebits)
    return refusal(1n << BigInt(CAP_SETPCAP), "Unable to set PR_SET_SECUREBITS: -1");
  const wanted = setOf(creds.cap_prm) & known;
  const dropped = known & ~setOf(creds.cap_bnd);
  // With no_new_privs CRIU goes on where the task does not have the capability anyway.
  const must = creds.no_new_privs ? dropped & wanted : dropped;
  if (must !== 0n && lacks(CAP_SETPCAP))
    return refusal(
      1n << BigInt(CAP_SETPCAP),
      `Unable to drop capability ${numbersOf(must)[0]}: -1`,
    );
  const missing = wanted & ~permitted;
  return missing === 0n ? undefined : refusal(missing, "Unable to restore capabilities: -1");
}

export const capabilitiesMissing: Check = {
  title: "A task had capabilities that CRIU does not have here",
  reads: "creds in core-*.img; capabilities in /proc/self/status, cap_last_cap",
  why:
    "A process can give others only the capabilities that it has: CRIU stops where the kernel refuses. Containers and systemd units often run with a smaller " +
    "bounding set than the machine on which the dump was made. A bounding set that only becomes smaller CRIU does not notice.",
  proof: "criu",
  run(context) {
    const criuHas = capabilitiesOfCriu(context.host);
    if (criuHas === undefined || otherUsers(context)) return [];
    const known = knownCapabilities(context.host);
    const ids = idsOfCriu(context.host);
    const { securebits } = context.host;
    const isCompared = knows(context.criu?.version, "idsCompared", true);
    const findings = new Map<string, Problem>();
    for (const { task, thread, creds } of threadsWithCreds(context.checkpoint)) {
      const refusal = firstRefusal(creds, ids, criuHas.permitted, known, securebits, isCompared);
      const fewer = setOf(creds.cap_bnd) & known & ~criuHas.bounding;
      const lacks = refusal?.lacks ?? fewer;
      const key = `${lacks} ${refusal === undefined}`;
      if (lacks === 0n || findings.has(key)) continue; // one finding for all threads of a tree that lack the same
      findings.set(key, {
        severity: refusal === undefined ? "warning" : "blocker",
        task,
        image: `core-${thread.tid}.img`,
        subject: `thread ${thread.tid}`,
        message:
          refusal === undefined
            ? `thread ${thread.tid} and its like will lose ${list(lacks)} from the bounding set: recriu runs without`
            : `thread ${thread.tid} cannot be restored without ${list(lacks)}, which recriu does not have here`,
        criu_message: refusal?.criu_message ?? null,
        remedy: {
          kind: "human",
          text: `run it with ${list(lacks)}: outside of this container or unit, or with a larger bounding set for it`,
        },
      });
    }
    return [...findings.values()];
  },
};
