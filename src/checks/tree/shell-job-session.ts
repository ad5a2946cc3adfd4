import { sh } from "../../sys/shell.ts";
import { again as sameCall } from "../again.ts";
import type { Check } from "../finding.ts";
import {
  inheritedSession,
  isJob,
  losesGroup,
  losesSession,
  runsAsShellJob,
  saysNoShellJob,
  treeOf,
} from "./jobs.ts";
import { shared } from "./sessions.ts";
import { terminals, unpairedSlaves } from "./terminals.ts";

export const shellJobSession: Check = {
  title: "The tree is a job of a session that is not in the images",
  reads: "pstree.img, --shell-job; the session of recriu, in which CRIU runs",
  why:
    "A tree whose root leads no session was dumped with --shell-job, and needs the option again: the session of the old shell cannot " +
    "be made, so the tree joins that of the caller. Without it the root joins it silently, and its children, which should have " +
    "the old session, are refused; a root that shared its process group with the shell waits for ever for a shell that never comes. recriu adds the option itself where the tree has no terminal, which the option would " +
    "exchange for the caller's.",
  proof: "criu",
  answers: ["option", "person"],
  run(context) {
    const { checkpoint, request } = context;
    const [root] = checkpoint.pstree;
    const inherited = inheritedSession(context);
    if (request.shellJob || root === undefined || !isJob(checkpoint.pstree)) return [];
    const waits = losesGroup(context);
    if ((root.sid === inherited && !waits) || !treeOf(context, false).ok) return [];
    const fails = losesSession(context);
    const joined = treeOf(context, true);
    if (joined.ok && unpairedSlaves(terminals(checkpoint, request)).length > 0) return []; // tty-shell-job says it
    const finding = {
      ...shared,
      severity: fails || waits ? "blocker" : "warning",
      task: root.pid,
      subject: `session ${root.sid}`,
      message: fails
        ? `the root ${root.pid} is a job of session ${root.sid}, which cannot be made for its children`
        : waits
          ? `the root ${root.pid} was in the process group ${root.pgid} of a shell that is not in the images: CRIU waits for it for ever`
          : `the root ${root.pid} is a job of session ${root.sid}; it will be in session ${inherited} instead`,
      criu_message: fails ? `Requested sid ${root.sid} doesn't match inherited ${inherited}` : null,
    } as const;
    if (!joined.ok)
      return [
        {
          ...finding,
          remedy: {
            kind: "human",
            text: `restore it as a job, and, as ${joined.failure.message}, in a session of its own`,
            command: sh`setsid --wait recriu restore --shell-job ${sameCall(context)}`,
          },
        },
      ];
    const text = `restore it as a job of this session${saysNoShellJob(request) ? ": leave --no-shell-job out" : ""}`;
    const automatic = runsAsShellJob(context);
    return [
      {
        ...finding,
        remedy: { kind: "option", text, option: "--shell-job", automatic },
      },
    ];
  },
};
