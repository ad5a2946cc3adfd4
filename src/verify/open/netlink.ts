/** Netlink sockets (netlink(7)): protocol, port and groups, as /proc/PID/net/netlink has them. */
import { procFile } from "../../host/processes.ts";
import type { Compare, OpenFile } from "./file.ts";

export const netlink: Compare<"nlsk"> = ({ protocol, portid, groups }, file) => {
  const inode = /^socket:\[(\d+)\]$/.exec(file.proc.link(`fd/${file.fd}`) ?? "")?.[1];
  const now = inode === undefined ? undefined : tableOf(file).get(inode);
  file.same("netlink protocol", protocol, now?.protocol);
  // CRIU takes another port where this one is in use.
  const other = now !== undefined && now.portid !== "0" ? "tolerated" : undefined;
  if (portid !== 0) file.same("netlink port", portid, now?.portid, other);
  file.same("netlink groups", groups[0] ?? 0, now && Number.parseInt(now.groups, 16));
};

interface Netlink {
  protocol: string;
  portid: string;
  groups: string;
}

/** Of the task's network namespace, by inode; read once for all. */
const tables = new WeakMap<object, Map<string, Map<string, Netlink>>>();

function tableOf({ subject: { live }, proc, pid }: OpenFile): Map<string, Netlink> {
  const known = tables.get(live) ?? new Map<string, Map<string, Netlink>>();
  tables.set(live, known);
  const namespace = proc.link("ns/net") ?? "";
  let table = known.get(namespace);
  if (table === undefined) {
    const rows = (procFile(pid, "net/netlink") ?? "").split("\n").slice(1);
    table = new Map(
      rows.map((row) => {
        const words = row.trim().split(/\s+/);
        const [, protocol = "", portid = "", groups = ""] = words;
        return [words.at(-1) ?? "", { protocol, portid, groups }];
      }),
    );
    known.set(namespace, table);
  }
  return table;
}
