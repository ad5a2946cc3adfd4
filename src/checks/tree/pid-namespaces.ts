/** Process ids as a whole: how large they may be, and the namespace that holds them (pstree.c, cr-restore.c). */
import type { Context, Leftover } from "../finding.ts";
import { largestOf, limitsApart, PID_MAX } from "./pid-max.ts";

/** CRIU raises the limit before it makes a task. */
export function pidMaxLeftovers(context: Context): Leftover[] {
  const { checkpoint, host, isolate } = context;
  if (isolate.has("pid") && limitsApart(context)) return [];
  const limit = Number(host.read(PID_MAX) ?? 0);
  const largest = largestOf(checkpoint);
  return limit > 0 && largest > limit
    ? [{ kind: "sysctl", root: "/", path: PID_MAX, like: `${limit}:${largest + 1}` }]
    : [];
}

/** The key of an external pid namespace, where the root's is one. */
export function externalKey({ checkpoint }: Context): string | undefined {
  const id = checkpoint.root?.ids?.pid_ns_id;
  return id === undefined ? undefined : checkpoint.pidNamespace(id)?.ext_key;
}

/**
 * Where the existing pid namespace is that the tree is put into: the descriptor that is handed to CRIU, or what the bundle has
 * the runtime hand. Undefined: CRIU makes one, or the tree lives in this one, or none was named.
 */
export function joinedPidNamespace(context: Context): string | undefined {
  const key = externalKey(context);
  if (key === undefined) return undefined;
  const handed = context.request.inheritFds.find((each) => each.key === key);
  return handed === undefined
    ? context.bundle?.namespaces.find(({ kind }) => kind === "pid")?.path
    : `/proc/self/fd/${handed.fd}`;
}
