/** Tasks that CRIU would have wait for ever for the leader of their process group (cr-restore.c, restore_pgid). */
import { type Node, preorder } from "./pstree-nodes.ts";
import type { Tree } from "./pstree.ts";

/**
 * Every task is born into its parent's group, or leads one with its session; whoever was in another joins it once its
 * leader says that it is made. A leader says so only when it makes it then: not one that was born in it, as the leader
 * of a session is, nor one that has left it since. `group`: that of CRIU.
 */
export function stuckTasks(tree: Tree, group: number): Node[] {
  if (!tree.ok) return [];
  const born = new Map<Node, number>();
  const groups = new Map<Node, number>();
  const stuck: Node[] = [];
  for (const node of preorder(tree.root)) {
    const { parent } = node;
    const before = parent?.born !== undefined && parent.born === (node.born ?? node.sid);
    const inherited = parent === undefined ? group : (before ? born : groups).get(parent)!;
    born.set(node, inherited);
    groups.set(node, node.sid === node.pid ? node.pid : inherited);
  }
  for (const [node, current] of groups) {
    const leader = tree.nodes.get(node.pgid);
    if (node.pgid === 0 || node.pgid === node.pid || node.pgid === current) continue;
    if (leader === undefined || leader.state === "reserved") continue; // CRIU's own group
    if (leader.pgid !== leader.pid || groups.get(leader) === leader.pid) stuck.push(node);
  }
  return stuck;
}
