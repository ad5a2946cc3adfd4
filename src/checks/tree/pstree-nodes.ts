/** The numbers of a tree, and how they hang together. */

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

export function reserve(nodes: Map<number, Node>, pid: number): Node {
  let node = nodes.get(pid);
  if (node === undefined) {
    const unknown = { sid: 0, pgid: 0, parent: undefined, children: [], born: undefined };
    nodes.set(pid, (node = { pid, state: "reserved", ...unknown }));
  }
  return node;
}

export function makeHelper(node: Node, parent: Node, sid: number, pgid: number): void {
  Object.assign(node, { parent, sid, pgid, state: "helper" });
}

/** The tree in CRIU's order; children that are added to a node while it is visited are visited too. */
export function* preorder(root: Node): Generator<Node> {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node;
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!);
  }
}
