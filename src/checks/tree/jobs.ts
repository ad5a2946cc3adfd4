/** A tree that leads no session of its own: whether it joins CRIU's, and what becomes of it then. */
import type { Request } from "../../criu/index.ts";
import { oncePer, type PstreeEntry } from "../../image/index.ts";
import type { Context } from "../finding.ts";
import { stuckTasks } from "./process-groups.ts";
import type { Node } from "./pstree-nodes.ts";
import { prepareTree, type Tree } from "./pstree.ts";

const REMAP_PROCFS = 2;

/** The tree as CRIU would prepare it here, with `--shell-job` as given or as `shellJob` says. */
export function treeOf(context: Context, shellJob: boolean = context.request.shellJob): Tree {
  const trees = treesOf(context);
  const tree = trees.get(shellJob) ?? prepared(context, shellJob);
  trees.set(shellJob, tree);
  return tree;
}

/** Of a thousand tasks it takes milliseconds, and half a dozen checks ask for it. */
const treesOf = oncePer<Context, Map<boolean, Tree>>(() => new Map());

function prepared({ checkpoint, host }: Context, shellJob: boolean): Tree {
  const deadProcesses = checkpoint.remaps
    .filter((remap) => remap.remap_type === REMAP_PROCFS)
    .map((remap) => remap.remap_id);
  return prepareTree({
    pstree: checkpoint.pstree,
    deadProcesses,
    shellJob,
    session: host.self?.session ?? 0,
    group: host.self?.pgrp ?? 0,
  });
}

/** The root of the images leads no session: it is a job of a session that is not in the images. */
export const isJob = ([root]: readonly PstreeEntry[]): boolean =>
  root !== undefined && root.sid !== root.pid;

/**
 * Whether CRIU runs with `--shell-job`: asked for, or added by recriu, which does so where the tree needs it, would
 * fit into this session, and has no terminal that the option would exchange for the caller's.
 */
export function runsAsShellJob(context: Context): boolean {
  const { checkpoint, request } = context;
  if (request.shellJob) return true;
  if (saysNoShellJob(request) || checkpoint.ttys.length > 0) return false;
  return (losesSession(context) || losesGroup(context)) && treeOf(context, true).ok;
}

export const saysNoShellJob = (request: Request): boolean =>
  !request.shellJob && request.explicit.has("shell-job");

/** Without `--shell-job`: members of the root's session that CRIU cannot put into it. */
export function losesSession(context: Context): boolean {
  const tree = treeOf(context, false);
  if (!tree.ok || !isJob(context.checkpoint.pstree)) return false;
  const { root, nodes } = tree;
  if (root.sid === inheritedSession(context)) return false;
  const lost = (node: Node) =>
    (node !== root || root.pid === 1) && node.sid === root.sid && node.pid !== node.sid;
  return [...nodes.values()].some(
    (node) => (node.state === "task" || node.state === "helper") && lost(node),
  );
}

/** Tasks that wait for ever for their process group, with `--shell-job` as given or as `shellJob` says. */
export const stuckIn = (context: Context, shellJob?: boolean): Node[] =>
  stuckTasks(
    treeOf(context, shellJob),
    context.namespaces.created.pid ? 0 : (context.host.self?.pgrp ?? 0),
  );

/** Without `--shell-job`, and only then, the root waits for ever for the group that it shares with the old shell. */
export const losesGroup = (context: Context): boolean =>
  isJob(context.checkpoint.pstree) &&
  stuckIn(context, false).length > 0 &&
  stuckIn(context, true).length === 0;

/** CRIU's session as its children see it: a session of outside is 0 in a new pid namespace. */
export const inheritedSession = ({ host, namespaces }: Context): number =>
  namespaces.created.pid ? 0 : (host.self?.session ?? 0);
