/** Which tasks share which namespaces, with each other and with CRIU. The numbers themselves are new after a restore. */
import { linkOf } from "../host/processes.ts";
import type { TaskKobjIdsEntry } from "../image/index.ts";
import type { Facet } from "./facet.ts";

/** Field of the ids image, and name in /proc/PID/ns. The time namespace is always new when CRIU sets its offsets. */
const kinds = [
  ["pid_ns_id", "pid"],
  ["net_ns_id", "net"],
  ["ipc_ns_id", "ipc"],
  ["uts_ns_id", "uts"],
  ["mnt_ns_id", "mnt"],
  ["user_ns_id", "user"],
] as const satisfies [keyof TaskKobjIdsEntry, string][];

interface Place {
  /** That of … */
  said: string;
  now: string | undefined;
}

export const namespaces: Facet = {
  id: "namespaces",
  final: "tree",
  compare({ checkpoint, live, request }, { same, leftOut }) {
    // Joined ones are as the caller says.
    if (request.joinNs.length > 0 || request.inheritFds.length > 0)
      return leftOut(
        "namespaces, as --join-ns or --inherit-fd asks",
        live.tasks.size * kinds.length,
      );
    for (const [field, name] of kinds) {
      /** The first task met in each saved namespace, and where it is now. */
      const places = new Map<number, Place>();
      const [what, link] = [`${name} namespace`, `ns/${name}`];
      const outside = checkpoint.inventory?.root_ids?.[field];
      if (outside !== undefined)
        places.set(outside, { said: "that of criu", now: linkOf(live.criu, link) });
      for (const { task, proc } of live.tasks.values()) {
        const saved = task.ids?.[field];
        if (saved === undefined) continue;
        const now = proc.link(link);
        const earlier = places.get(saved);
        if (earlier === undefined) {
          const taken = [...places.values()].some((place) => place.now === now);
          same(task.pid, what, "its own", taken ? "one of others" : "its own");
          places.set(saved, { said: `that of ${task.pid}`, now });
        } else same(task.pid, what, earlier.said, now === earlier.now ? earlier.said : "another");
      }
    }
  },
};
