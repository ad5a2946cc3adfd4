/** Network namespaces that CRIU fills anew (net.c). */
import { netns_entry } from "../../image/tables/namespaces.ts";
import type { Context } from "../finding.ts";

/** Ids of the tree's new network namespaces that CRIU fills: none with --empty-ns net. */
export function namespaceIds({ checkpoint, namespaces, request }: Context): number[] {
  if (!namespaces.created.net || request.emptyNs.includes("net")) return [];
  const ids = new Set(checkpoint.tasks.map((task) => task.ids?.net_ns_id));
  return [...ids].filter((id) => id !== undefined);
}

/** Those that are not handed in from outside. */
export const filledIds = (context: Context): number[] =>
  namespaceIds(context).filter(
    (id) => context.checkpoint.values(`netns-${id}.img`, netns_entry)[0]?.ext_key === undefined,
  );
