import { knows } from "../../criu/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { groupsWords, idsOfCriu, setsGroups, threadsWithCreds } from "./capabilities.ts";
import { otherUsers } from "./capabilities.ts";

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
    const isCompared = knows(context.criu?.version, "idsCompared", true);
    const findings = new Map<string, Problem>();
    for (const { task, thread, creds } of threadsWithCreds(checkpoint)) {
      const shared = {
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
      const said = groupsWords(creds, isCompared);
      for (const id of creds.groups)
        if (!mapped(groups, id)) note(`supplementary group ${id}`, missing, `${said}: -22`);
      if (denied && setsGroups(creds, extra, isCompared))
        note(
          "the supplementary groups",
          "may not be set in this user namespace (setgroups is denied)",
          `${said}: -1`,
        );
    }
    return [...findings.values()];
  },
};
