/** Namespaces that CRIU makes anew for the tree (pstree.c, namespaces.c, timens.c). */
import type { TaskKobjIdsEntry } from "../../image/index.ts";
import type { Context } from "../finding.ts";

/** In the order and by the names of /proc/sys/user/max_*_namespaces; with CRIU's field and clone(2)'s flag. */
export const kinds = [
  { name: "mnt", field: "mnt_ns_id", flag: 0x20000 },
  { name: "pid", field: "pid_ns_id", flag: 0x20000000 },
  { name: "net", field: "net_ns_id", flag: 0x40000000 },
  { name: "ipc", field: "ipc_ns_id", flag: 0x8000000 },
  { name: "uts", field: "uts_ns_id", flag: 0x4000000 },
  { name: "time", field: "time_ns_id", flag: 0x80 },
  { name: "user", field: "user_ns_id", flag: 0x10000000 },
] as const;

type Kind = (typeof kinds)[number];

/** Kinds in which two tasks differ, or the root task and the CRIU that dumped it. */
export const differing = (
  a: TaskKobjIdsEntry | undefined,
  b: TaskKobjIdsEntry | undefined,
): Kind[] =>
  a === undefined || b === undefined
    ? []
    : kinds.filter(({ field }) => (a[field] ?? 0) !== (b[field] ?? 0));

/** The kinds of namespaces that CRIU makes for the root task. */
export const made = ({ checkpoint }: Context): Kind[] =>
  differing(checkpoint.root?.ids, checkpoint.inventory?.root_ids);
