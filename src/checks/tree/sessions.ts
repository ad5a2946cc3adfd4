/** The tree as pstree.img tells it: parents, sessions, and CRIU's own session where the tree is a shell's job. */
import type { Context } from "../finding.ts";
import { treeOf } from "./jobs.ts";
import type { Failure } from "./pstree.ts";

/** The tree's failure, if it is of this kind. */
export function failing(context: Context, kind: Failure["kind"]): Failure[] {
  const tree = treeOf(context);
  return tree.ok || tree.failure.kind !== kind ? [] : [tree.failure];
}

export const again = {
  kind: "human",
  text: "dump again; these images cannot be restored",
} as const;

export const shared = { severity: "blocker", image: "pstree.img" } as const;
