/** The tasks that stand in for the lost parents of the root's adopted children (pstree.c, prepare_pstree_ids). */
import { type Helper, makeHelper, type Node, reserve } from "./pstree-nodes.ts";

/**
 * Children of the root in a session of others were born deeper and lost their parent.
 * A helper stands in for it: the dead leader itself (returned, to be put before the root's children), or a task with a
 * number of CRIU's choice below the living one.
 */
export function addSessionHelpers(root: Node, nodes: Map<number, Node>, helpers: Helper[]): Node[] {
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
