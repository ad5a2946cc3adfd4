/**
 * What CRIU makes of pstree.img before it forks anything (pstree.c, prepare_pstree): the tree with its helpers, short
 * tasks that lead the sessions and process groups whose leaders are dead, or the reason why it stops.
 */
import type { PstreeEntry } from "../image/index.ts";

/** A number of the tree. `reserved`: so far only somebody's session or group. */
export interface Node {
  pid: number;
  sid: number;
  pgid: number;
  state: "reserved" | "task" | "thread" | "helper";
  parent: Node | undefined;
  /** In the order in which CRIU forks them. */
  children: Node[];
  /** The session that it was born into, where that is not its own. */
  born: number | undefined;
}

/** A task that CRIU adds: under which number, for what, and which task of the images wants it. */
export interface Helper {
  number: number;
  task: number | null;
  as: "session" | "process group" | "member of a session" | "dead process of /proc";
}

export interface Failure {
  kind: "corrupt" | "intersects" | "no leader";
  task: number | null;
  message: string;
  criu_message: string;
}

export type Tree =
  | { ok: true; root: Node; nodes: ReadonlyMap<number, Node>; helpers: readonly Helper[] }
  | { ok: false; failure: Failure };

export interface Given {
  pstree: readonly PstreeEntry[];
  /** Numbers of dead processes whose /proc files are open (PROCFS remaps). */
  deadProcesses: readonly number[];
  shellJob: boolean;
  /** Session and process group of CRIU. */
  session: number;
  group: number;
}

/** The tree as CRIU would prepare it. */
export function prepareTree(given: Given): Tree {
  const read = readEntries(given.pstree);
  if (!read.ok) return read;
  const { root, nodes } = read;
  const failure = given.shellJob ? joinSession(root, nodes, given) : undefined;
  if (failure !== undefined) return { ok: false, failure };
  const helpers: Helper[] = [];
  const leaders = addSessionHelpers(root, nodes, helpers);
  const orphan = findLeaderless(root);
  if (orphan !== undefined) return { ok: false, failure: orphan };
  root.children = leaders.concat(root.children);
  for (const node of preorder(root)) {
    const group = nodes.get(node.pgid);
    if (node.pgid === 0 || node.pgid === node.pid || group?.state !== "reserved") continue;
    if (node.pgid === given.group) continue; // that group is CRIU's own
    makeHelper(group, node, node.sid, node.pgid);
    node.children.unshift(group);
    helpers.push({ number: node.pgid, task: node.pid, as: "process group" });
  }
  for (const number of given.deadProcesses) {
    const node = reserve(nodes, number);
    if (node.state !== "reserved") continue;
    makeHelper(node, root, root.sid, root.pgid);
    root.children.push(node);
    helpers.push({ number, task: null, as: "dead process of /proc" });
  }
  return { ok: true, root, nodes, helpers };
}

function reserve(nodes: Map<number, Node>, pid: number): Node {
  let node = nodes.get(pid);
  if (node === undefined) {
    const unknown = { sid: 0, pgid: 0, parent: undefined, children: [], born: undefined };
    nodes.set(pid, (node = { pid, state: "reserved", ...unknown }));
  }
  return node;
}

function makeHelper(node: Node, parent: Node, sid: number, pgid: number): void {
  Object.assign(node, { parent, sid, pgid, state: "helper" });
}

const corrupt = (task: number, message: string, criu_message: string): Tree => ({
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
  { session, group }: Given,
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

/**
 * prepare_pstree_ids, first part: children of the root in a session of others were born deeper and lost their parent.
 * A helper stands in for it: the dead leader itself (returned, to be put before the root's children), or a task with a
 * number of CRIU's choice below the living one.
 */
function addSessionHelpers(root: Node, nodes: Map<number, Node>, helpers: Helper[]): Node[] {
  const standIns = new Map<number, Node>();
  const dead: Node[] = [];
  const stay: Node[] = [];
  const nextFree = freeNumbers(nodes);
  for (const child of root.children) {
    if (child.sid === root.sid || child.sid === child.pid) {
      stay.push(child);
      continue;
    }
    let standIn = standIns.get(child.sid);
    if (standIn === undefined) {
      const leader = reserve(nodes, child.sid);
      if (leader.state === "reserved") {
        standIn = leader;
        makeHelper(leader, root, child.sid, child.sid);
        dead.push(leader);
        helpers.push({ number: child.sid, task: child.pid, as: "session" });
      } else {
        standIn = reserve(nodes, nextFree());
        makeHelper(standIn, leader, child.sid, leader.pgid);
        leader.children.unshift(standIn);
        helpers.push({ number: standIn.pid, task: child.pid, as: "member of a session" });
      }
      standIns.set(child.sid, standIn);
    }
    child.parent = standIn;
    standIn.children.push(child);
  }
  root.children = stay;
  for (const standIn of standIns.values()) standIn.children.reverse();
  return dead;
}

/** get_free_pid: the first gap above 300 among the numbers of the images; this machine is not asked. */
function freeNumbers(nodes: ReadonlyMap<number, Node>): () => number {
  let numbers: number[] | undefined;
  let index = 0;
  let previous = 0;
  return () => {
    if (numbers === undefined) {
      numbers = [...nodes.keys()].sort((a, b) => a - b);
      previous = numbers[0]!;
      index = 1;
    }
    for (;;) {
      const number = previous + 1 < 300 ? 301 : previous + 1;
      const next = numbers[index];
      if (next === undefined || next > number) return (previous = number);
      previous = next;
      index++;
    }
  };
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

/** The tree in CRIU's order; children that are added to a node while it is visited are visited too. */
export function* preorder(root: Node): Generator<Node> {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node;
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!);
  }
}
