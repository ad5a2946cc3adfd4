/** Named Unix sockets: that each is bound to its name again, and listens if it did. */
import { linkOf } from "../host/processes.ts";
import { listUnixSockets, type UnixSocket } from "../host/sockets.ts";
import type { UnixSkEntry } from "../image/index.ts";
import type { Facet } from "./facet.ts";

const SOCK_DGRAM = 2;
const TCP_ESTABLISHED = 1;
const TCP_LISTEN = 10;

export const unixSockets: Facet = {
  id: "unix sockets",
  final: "structure",
  compare({ checkpoint, live }, { same }) {
    /** Tasks of one network namespace see the same table. */
    const tables = new Map<string, Map<number, UnixSocket>>();
    for (const { task, pid } of live.tasks.values()) {
      for (const fd of task.fds) {
        const saved = checkpoint.openFiles.get(fd.id)?.usk;
        if (saved === undefined || saved.name.length === 0 || saved.deleted) continue;
        if (saved.type !== SOCK_DGRAM && saved.state === TCP_ESTABLISHED) continue;
        const namespace = linkOf(pid, "ns/net") ?? "";
        let table = tables.get(namespace);
        if (table === undefined)
          tables.set(
            namespace,
            (table = new Map(listUnixSockets(pid).map((socket) => [socket.inode, socket]))),
          );
        const inode = /^socket:\[(\d+)\]$/.exec(linkOf(pid, `fd/${fd.fd}`) ?? "")?.[1];
        const now = inode === undefined ? undefined : table.get(Number(inode));
        const name = nameOf(saved);
        same(task.pid, `socket at descriptor ${fd.fd}`, name, now?.path);
        if (saved.state === TCP_LISTEN)
          same(task.pid, `${name} listens`, "yes", now?.listening ? "yes" : "no");
      }
    }
  },
};

/** As /proc/net/unix shows it: NUL bytes of an abstract name as `@`. */
function nameOf(entry: UnixSkEntry): string {
  const text = new TextDecoder().decode(entry.name);
  return text.startsWith("\0") ? text.replaceAll("\0", "@") : text.replace(/\0.*$/s, "");
}
