/** Capabilities and ids that CRIU cannot give back (pie/restorer.c, restore_creds). */
import type { Check, Context, Finding } from "./finding.ts";
import {
  CAP_SETGID,
  CAP_SETPCAP,
  CAP_SETUID,
  type Creds,
  capabilitiesOfCriu,
  capabilityName,
  has,
  idsOfCriu,
  knownCapabilities,
  numbersOf,
  setOf,
  threadsWithCreds,
} from "./rights.ts";
import { sh } from "../sys/shell.ts";

/** The tree gets a user namespace in which CRIU has every capability, and ids that its images map. */
const otherUsers = ({ namespaces, request }: Context): boolean =>
  namespaces.own.user || request.joinNs.some(({ ns }) => ns === "user");

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
): { lacks: bigint; criu_message: string } | undefined {
  const lacks = (number: number) => !has(permitted, number);
  const refusal = (set: bigint, criu_message: string) => ({ lacks: set, criu_message });
  const users = usersOf(creds);
  const groups = groupsOf(creds);
  if (!same(users, ids.users) || !same(groups, ids.groups)) {
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
  id: "capabilities-missing",
  title: "A task had capabilities that CRIU does not have here",
  reads: "creds in core-*.img; capabilities in /proc/self/status, cap_last_cap",
  why:
    "Nobody can give a capability that he does not have: CRIU stops where the kernel refuses. Containers and systemd units often run with a smaller " +
    "bounding set than the machine on which the dump was made. A bounding set that only becomes smaller CRIU does not notice.",
  proof: "criu",
  run(context) {
    const own = capabilitiesOfCriu(context.host);
    if (own === undefined || otherUsers(context)) return [];
    const known = knownCapabilities(context.host);
    const ids = idsOfCriu(context.host);
    const { securebits } = context.host;
    const findings = new Map<string, Finding>();
    for (const { task, thread, creds } of threadsWithCreds(context.checkpoint)) {
      const refusal = firstRefusal(creds, ids, own.permitted, known, securebits);
      const fewer = setOf(creds.cap_bnd) & known & ~own.bounding;
      const lacks = refusal?.lacks ?? fewer;
      const key = `${lacks} ${refusal === undefined}`;
      if (lacks === 0n || findings.has(key)) continue; // one finding for all threads of a tree that lack the same
      findings.set(key, {
        id: "capabilities-missing",
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
          command: null,
        },
      });
    }
    return [...findings.values()];
  },
};

/** Whether a map of user_namespaces(7) has an id; without one every id is its own. */
function mapped(map: string | undefined, id: number): boolean {
  const ranges = (map ?? "").trim().split("\n");
  if (map === undefined || map.trim() === "") return true;
  return ranges.some((range) => {
    const [first, , count] = range.trim().split(/\s+/).map(Number);
    return id >= first! && id < first! + count!;
  });
}

export const idsUnmapped: Check = {
  id: "ids-unmapped",
  title: "A user or group id does not exist in this user namespace",
  reads: "creds in core-*.img; /proc/self/uid_map, gid_map and setgroups",
  why: "CRIU gives each task its old ids. In a user namespace only mapped ids exist, and setgroups(2) may be denied there.",
  proof: "images",
  run(context) {
    const { host, checkpoint } = context;
    if (otherUsers(context)) return [];
    const users = host.read("/proc/self/uid_map");
    const groups = host.read("/proc/self/gid_map");
    const denied = host.read("/proc/self/setgroups")?.trim() === "deny";
    const { extra } = idsOfCriu(host);
    const findings = new Map<string, Finding>();
    for (const { task, thread, creds } of threadsWithCreds(checkpoint)) {
      const shared = {
        id: "ids-unmapped",
        severity: "blocker",
        task,
        image: `core-${thread.tid}.img`,
        remedy: {
          kind: "human",
          text: "run it in a user namespace that maps these ids, or outside of any",
          command: sh`cat /proc/self/uid_map /proc/self/gid_map`,
        },
      } as const;
      const note = (subject: string, why: string, criu_message: string) => {
        const message = `${subject} of thread ${thread.tid} ${why}`;
        if (!findings.has(subject))
          findings.set(subject, { ...shared, subject, message, criu_message });
      };
      const missing = "is not mapped in this user namespace";
      for (const id of new Set([creds.uid, creds.euid, creds.suid]))
        if (!mapped(users, id))
          note(`user ${id}`, missing, "Unable to set real, effective and saved user ID: -22");
      for (const id of new Set([creds.gid, creds.egid, creds.sgid]))
        if (!mapped(groups, id))
          note(`group ${id}`, missing, "Unable to set real, effective and saved group ID: -22");
      const said = `Can't setgroups([${creds.groups.length} gids])`;
      for (const id of creds.groups)
        if (!mapped(groups, id)) note(`supplementary group ${id}`, missing, `${said}: -22`);
      if (denied && creds.groups.some((id) => !extra.includes(id)))
        note(
          "the supplementary groups",
          "may not be set in this user namespace (setgroups is denied)",
          `${said}: -1`,
        );
    }
    return [...findings.values()];
  },
};
