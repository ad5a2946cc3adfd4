/** The tree as pstree.img tells it: parents, sessions, and CRIU's own session where the tree is a shell's job. */
import type { Check, Context, Finding } from "./finding.ts";
import { again as sameCall } from "./again.ts";
import {
  inheritedSession,
  isJob,
  losesGroup,
  losesSession,
  runsAsShellJob,
  saysNoShellJob,
  stuckIn,
  treeOf,
} from "./jobs.ts";
import type { Failure } from "./pstree.ts";
import { terminals, unpairedSlaves } from "./terminals.ts";
import { sh } from "../sys/shell.ts";

/** The tree's failure, if it is of this kind. */
function failing(context: Context, kind: Failure["kind"]): Failure[] {
  const tree = treeOf(context);
  return tree.ok || tree.failure.kind !== kind ? [] : [tree.failure];
}

const again = {
  kind: "human",
  text: "dump again; these images cannot be restored",
  command: null,
} as const;

const shared = { severity: "blocker", image: "pstree.img" } as const;

export const treeCorrupt: Check = {
  id: "tree-corrupt",
  title: "The process tree in the images makes no sense",
  reads: "every entry of pstree.img",
  why:
    "Every task but the first needs a parent before it, and no number may belong to two tasks or threads. CRIU stops at " +
    "the first entry that is otherwise; some make it abort by an assertion.",
  proof: "criu",
  run: (context) =>
    context.checkpoint.pstree.length === 0
      ? [] // image-missing or image-truncated says so
      : failing(context, "corrupt").map(({ task, message, criu_message }): Finding => ({
          ...shared,
          id: "tree-corrupt",
          task,
          subject: String(task),
          message,
          criu_message,
          remedy: { ...again, text: "take an intact copy of the images, or dump again" },
        })),
};

export const sessionLeaderMissing: Check = {
  id: "session-leader-missing",
  title: "The leader of a task's session is not among its ancestors",
  reads: "every entry of pstree.img",
  why:
    "A session can only be inherited or made. A task that does not lead its session must be born below the leader, and CRIU " +
    "stands in for a lost parent only directly below the root.",
  proof: "criu",
  run: (context) =>
    failing(context, "no leader").map(({ task, message, criu_message }): Finding => ({
      ...shared,
      id: "session-leader-missing",
      task,
      subject: String(task),
      message,
      criu_message,
      remedy: again,
    })),
};

export const sessionIntersects: Check = {
  id: "session-intersects",
  title: "CRIU's own session or group is a number of the images",
  reads: "pstree.img, --shell-job; session and group of recriu, in which CRIU runs",
  why:
    "With --shell-job the tree moves into the session of CRIU. When a task, thread, session or group of the images has the same " +
    "number, it can no longer be told from CRIU's, and CRIU stops. Another session has another number.",
  proof: "criu",
  run: (context) =>
    failing(context, "intersects").map(({ message, criu_message }): Finding => ({
      ...shared,
      id: "session-intersects",
      task: null,
      subject: String(context.host.self?.session),
      message,
      criu_message,
      remedy: {
        kind: "human",
        text: "run it in a session of its own",
        command: sh`setsid --wait recriu restore ${sameCall(context)}`,
      },
    })),
};

export const shellJobSession: Check = {
  id: "shell-job-session",
  title: "The tree is a job of a session that is not in the images",
  reads: "pstree.img, --shell-job; the session of recriu, in which CRIU runs",
  why:
    "A tree whose root leads no session was dumped with --shell-job, and needs the option again: the session of the old shell cannot " +
    "be made, so the tree joins that of the caller. Without it the root joins it silently, and its children, which should have " +
    "the old session, are refused; a root that shared its process group with the shell waits for ever for a shell that never comes. recriu adds the option itself where the tree has no terminal, which the option would " +
    "exchange for the caller's.",
  proof: "criu",
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
      id: "shell-job-session",
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
        remedy: { kind: "option", text, command: null, option: "--shell-job", automatic },
      },
    ];
  },
};

export const groupLeaderLost: Check = {
  id: "group-leader-lost",
  title: "A task's process group is one that its leader has left",
  reads:
    "pid, pgid and sid of every entry of pstree.img; the process group of recriu, in which CRIU runs",
  why:
    "CRIU has a task join its process group once the leader says that it made it. A leader that has left its group for another, as programs " +
    "that play shell do, never says so: the restore stands still without a word, or, as CRIU keeps the mark where that leader has an address " +
    "and may take the one for the other, the task goes on and finds no such group. Which of the two is chance.",
  proof: "harm",
  run: (context) =>
    context.request.shellJob || !losesGroup(context)
      ? stuckIn(context, runsAsShellJob(context)).map(({ pid, pgid }): Finding => ({
          ...shared,
          id: "group-leader-lost",
          task: pid,
          subject: `task ${pid}`,
          message: `task ${pid} waits for ever for its process group ${pgid}, whose leader is in another by now, or does not find it`,
          criu_message: "Can't restore pgid",
          remedy: {
            kind: "human",
            text: "let the leader go back into its group, or the members leave it (setpgid(2)), and dump again",
            command: null,
          },
        }))
      : [], // shell-job-session says it
};

export const adoptedChildLost: Check = {
  id: "adopted-child-lost",
  title: "A child that the root adopted comes back without it",
  reads: "every entry of pstree.img",
  why:
    "A child of the root in the session of others was born deeper, and came to the root when its parent ended. CRIU has it born by a helper that ends too, " +
    "and then it goes to the init of the pid namespace: only where the root is that init, the tree is whole again. CRIU says nothing. The root is not told " +
    "any more when that child ends.",
  proof: "harm",
  run(context) {
    const { checkpoint } = context;
    const root = checkpoint.root?.pid;
    const tree = treeOf(context, runsAsShellJob(context));
    if (!tree.ok || root === 1) return [];
    return [...tree.nodes.values()]
      .filter(({ state, parent }) => state === "task" && parent?.state === "helper")
      .map(({ pid: task }): Finding => ({
        id: "adopted-child-lost",
        severity: "warning",
        task,
        image: "pstree.img",
        subject: `task ${task}`,
        message: `task ${task} is a child that the root ${root} adopted; it will not be its child any more`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "dump the tree in a pid namespace with its init, where the root has it back",
          command: null,
        },
      }));
  },
};
