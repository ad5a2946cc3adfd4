/** A namespace that is open (/proc/PID/ns/net): that of the tasks which are in it. */
import { linkOf } from "../../host/processes.ts";
import type { Compare } from "./file.ts";

/** By CLONE_NEW* (clone(2)): the field of the ids image, and the name in /proc/PID/ns. */
const kinds = {
  0x80: ["time_ns_id", "time"],
  0x20000: ["mnt_ns_id", "mnt"],
  0x2000000: ["cgroup_ns_id", "cgroup"],
  0x4000000: ["uts_ns_id", "uts"],
  0x8000000: ["ipc_ns_id", "ipc"],
  0x10000000: ["user_ns_id", "user"],
  0x20000000: ["pid_ns_id", "pid"],
  0x40000000: ["net_ns_id", "net"],
} as const;

export const namespaceFile: Compare<"nsf"> = ({ ns_id, ns_cflag }, file) => {
  const { checkpoint, live } = file.subject;
  const [field, name] = kinds[ns_cflag as keyof typeof kinds] ?? [];
  const inside = field && [...live.tasks.values()].find(({ task }) => task.ids?.[field] === ns_id);
  const outside = field && checkpoint.inventory?.root_ids?.[field] === ns_id;
  if (inside === undefined && !outside) return file.leftOut("namespaces that no task is in");
  const there = inside ? inside.proc.link(`ns/${name}`) : linkOf("self", `ns/${name}`);
  file.same("namespace", there ?? `of ${name}`, file.proc.link(`fd/${file.fd}`));
};
