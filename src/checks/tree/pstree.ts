/**
 * What CRIU makes of pstree.img before it forks anything (pstree.c, prepare_pstree): the tree with its helpers, short
 * tasks that lead the sessions and process groups of dead leaders, or the reason why it stops.
 */
import type { PstreeEntry } from "../../image/index.ts";
import { type Helper, makeHelper, type Node, preorder, reserve } from "./pstree-nodes.ts";
import { addSessionHelpers } from "./stand-ins.ts";

export interface Failure {
  kind: "corrupt" | "intersects" | "no leader";
  task: number | null;
  message: string;
  /** null: CRIU says nothing, and stands still. */
  criu_message: string | null;
}

export type Tree =
  | { ok: true; root: Node; nodes: ReadonlyMap<number, Node>; helpers: readonly Helper[] }
  | { ok: false; failure: Failure };

export interface TreeInput {
  pstree: readonly PstreeEntry[];
  /** Numbers of dead processes of which files in /proc are open (PROCFS remaps). */
  deadProcesses: readonly number[];
  shellJob: boolean;
  /** Session and process group of CRIU. */
  session: number;
  group: number;
}

/** The tree as CRIU would prepare it. */
export function prepareTree(input: TreeInput): Tree {
  const read = readEntries(input.pstree);
  if (!read.ok) return read;
  const { root, nodes } = read;
  const failure = input.shellJob ? joinSession(root, nodes, input) : undefined;
  if (failure !== undefined) return { ok: false, failure };
  const helpers: Helper[] = [];
  const leaders = addSessionHelpers(root, nodes, helpers);
  const orphan = findLeaderless(root);
  if (orphan !== undefined) return { ok: false, failure: orphan };
  root.children = leaders.concat(root.children);
  const unborn = findUnborn(root, nodes);
  if (unborn !== undefined) return unborn;
  for (const node of preorder(root)) {
    const group = nodes.get(node.pgid);
    if (node.pgid === 0 || node.pgid === node.pid || group?.state !== "reserved") continue;
    if (node.pgid === input.group) continue; // that group is CRIU's own
    makeHelper(group, node, node.sid, node.pgid);
    node.children.unshift(group);
    helpers.push({ number: node.pgid, task: node.pid, as: "process group" });
  }
  for (const number of input.deadProcesses) {
    const node = reserve(nodes, number);
    if (node.state !== "reserved") continue;
    makeHelper(node, root, root.sid, root.pgid);
    root.children.push(node);
    helpers.push({ number, task: null, as: "dead process of /proc" });
  }
  return { ok: true, root, nodes, helpers };
}

const corrupt = (task: number, message: string, criu_message: string | null): Tree => ({
  ok: false,
  failure: { kind: "corrupt", task, message, criu_message },
});

/** read_one_pstree_item: a parent stands before its children, and no number is used twice. */
function readEntries(
  pstree: readonly PstreeEntry[],
): { ok: true; root: Node; nodes: Map<number, Node> } | (Tree & { ok: false }) {
  const nodes = new Map<number, Node>();
  let root: Node | undefined;
  const bug = "BUG at criu/pstree.c";
  const bad = (task: number, message: string, said: string) =>
    corrupt(task, message, said) as Tree & { ok: false };
  for (const { pid, ppid, pgid, sid, threads } of pstree) {
    const node = reserve(nodes, pid);
    if (node.state !== "reserved") return bad(pid, `the number ${pid} is there twice`, bug);
    for (const number of [pgid, sid])
      if (reserve(nodes, number).state === "thread")
        return bad(pid, `the group or session ${number} of task ${pid} is a thread`, bug);
    Object.assign(node, { pgid, sid, state: "task" });
    if (ppid === 0) {
      if (root !== undefined)
        return bad(
          pid,
          `task ${pid} has no parent, and is not the root`,
          `Parent missed on non-root task with pid ${pid}, image corruption!`,
        );
      root = node;
    } else {
      const parent = nodes.get(ppid);
      if (parent?.state !== "task")
        return bad(
          pid,
          `the parent ${ppid} of task ${pid} is not among the tasks before it`,
          `Can't find a parent for ${pid}`,
        );
      node.parent = parent;
      parent.children.push(node);
    }
    for (const [index, tid] of threads.entries()) {
      if (index === 0) continue; // the leader; of a zombie it is no number at all
      if (nodes.has(tid))
        return bad(
          pid,
          `the number of thread ${tid} is used by another task`,
          `Unexpected task ${tid} in a tree ${index}`,
        );
      reserve(nodes, tid).state = "thread";
    }
  }
  if (root === undefined) return bad(0, "there is no root task", "No IDS for root task");
  for (const node of nodes.values()) node.children.reverse(); // CRIU puts each before the others
  return { ok: true, root, nodes };
}

/** prepare_pstree_for_shell_job: CRIU's session and group take the place of the root's, where it leads none. */
function joinSession(
  root: Node,
  nodes: Map<number, Node>,
  { session, group }: TreeInput,
): Failure | undefined {
  if (root.sid === root.pid) return undefined;
  const taken = (what: string, number: number, said: string): Failure => ({
    kind: "intersects",
    task: null,
    message: `${what} ${number}, in which CRIU runs, is also a number of the images`,
    criu_message: said,
  });
  const tasks = [...nodes.values()].filter((node) => node.state === "task");
  const oldSession = root.sid;
  if (oldSession !== session) {
    if (nodes.has(session))
      return taken("the session", session, `Current sid ${session} intersects with pid`);
    for (const node of tasks) {
      if (node.sid === oldSession) node.sid = session;
      if (node.pgid === oldSession) node.pgid = session;
    }
  }
  const oldGroup = root.pgid;
  if (oldGroup !== root.pid && oldGroup !== group) {
    if (nodes.has(group))
      return taken("the process group", group, `Current gid ${group} intersects with pid`);
    for (const node of tasks) if (node.pgid === oldGroup) node.pgid = group;
    reserve(nodes, group);
  }
  if (oldSession !== session) reserve(nodes, session);
  return undefined;
}

/** prepare_pstree_ids, second part: a task that does not lead its session must have been born below its leader. */
function findLeaderless(root: Node): Failure | undefined {
  for (const node of preorder(root)) {
    if (node.parent === undefined || node.state === "helper") continue;
    if (node.sid === node.pid || node.parent.sid === node.sid) continue;
    const failure = (message: string, criu_message: string): Failure => ({
      kind: "no leader",
      task: node.pid,
      message: `task ${node.pid} is in session ${node.sid}, ${message}`,
      criu_message,
    });
    let ancestor: Node | undefined = node.parent;
    while (ancestor !== undefined && ancestor.pid !== node.sid) {
      if (ancestor.born === node.sid) break; // from here on up it was looked at for another task
      if (ancestor.born !== undefined)
        return failure(
          `and its ancestor ${ancestor.pid} would have to be born in ${ancestor.born} too`,
          `Can't figure out which sid (${ancestor.born} or ${node.sid})`,
        );
      ancestor.born = node.sid;
      ancestor = ancestor.parent;
    }
    if (ancestor === undefined)
      return failure(
        "whose leader is not among its ancestors",
        `Can't find a session leader for ${node.sid}`,
      );
  }
  return undefined;
}

/** A child of the root, with the leader of its session below it: put below its leader, neither hangs on the root any more. */
function findUnborn(root: Node, nodes: ReadonlyMap<number, Node>): Tree | undefined {
  const born = new Set(preorder(root));
  for (const node of nodes.values())
    if (node.state === "task" && !born.has(node))
      return corrupt(
        node.pid,
        `task ${node.pid} is in session ${node.sid}, whose leader is below it: no task would make it, and CRIU waits for it for ever`,
        null,
      );
  return undefined;
}
