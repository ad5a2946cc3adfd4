/** Named Unix sockets: that each is bound to its name again, and listens if it did. */
import { linkOf } from "../host/processes.ts";
import { listUnixPeers, unixName } from "../host/sock-diag.ts";
import { listUnixSockets, type UnixSocket } from "../host/sockets.ts";
import type { Facet } from "./facet.ts";

const SOCK_DGRAM = 2;
const TCP_ESTABLISHED = 1;
const TCP_LISTEN = 10;

export const unixSockets: Facet = {
  id: "unix sockets",
  final: "outside",
  compare({ checkpoint, live }, { same }) {
    const tasks = [...live.tasks.values()];
    const seen = new Set(tasks.map(({ task }) => task.ids?.net_ns_id));
    let table: Map<number, UnixSocket> | undefined;
    /** A task may hold sockets of other network namespaces than its own: those of all tasks are looked at. */
    const read = () => {
      const namespaces = new Map(tasks.map(({ pid, proc }) => [proc.link("ns/net"), pid]));
      const here = linkOf("self", "ns/net");
      const sockets = [...namespaces].flatMap(([namespace, pid]) =>
        listUnixSockets(namespace === here ? "self" : pid),
      );
      return new Map(sockets.map((socket): [number, UnixSocket] => [socket.inode, socket]));
    };
    for (const { task, proc } of tasks) {
      for (const fd of task.fds) {
        const saved = checkpoint.openFiles.get(fd.id)?.usk;
        if (saved === undefined || saved.name.length === 0 || saved.deleted) continue;
        if (saved.type !== SOCK_DGRAM && saved.state === TCP_ESTABLISHED) continue;
        if (saved.ns_id !== undefined && !seen.has(saved.ns_id)) continue;
        const inode = /^socket:\[(\d+)\]$/.exec(proc.link(`fd/${fd.fd}`) ?? "")?.[1];
        table ??= read();
        const now = inode === undefined ? undefined : table.get(Number(inode));
        const name = unixName(saved.name);
        same(task.pid, `socket at descriptor ${fd.fd}`, name, now?.path);
        if (saved.state === TCP_LISTEN)
          same(task.pid, `${name} listens`, "yes", now?.listening ? "yes" : "no");
      }
    }
  },
};

/**
 * Connected Unix sockets whose other end is in the tree too: inode numbers are new, so what is compared is which
 * descriptors are the two ends of one connection. Only of this network namespace does the kernel tell.
 */
export const unixPeers: Facet = {
  id: "unix peers",
  final: "outside",
  moving: true,
  compare({ checkpoint, live }, { same }) {
    const here = linkOf("self", "ns/net");
    /** Saved inode number to the live one, and which descriptor has it. */
    const ends = new Map<number, { inode: number; where: string; listens: boolean }>();
    const connected: { task: number; fd: number; ino: number; peer: number }[] = [];
    for (const { task, proc } of live.tasks.values()) {
      let elsewhere: boolean | undefined;
      for (const { id, fd } of task.fds) {
        const saved = checkpoint.openFiles.get(id)?.usk;
        if (saved === undefined || ends.has(saved.ino)) continue;
        elsewhere ??= proc.link("ns/net") !== here;
        if (elsewhere) break;
        const inode = /^socket:\[(\d+)\]$/.exec(proc.link(`fd/${fd}`) ?? "")?.[1];
        if (inode === undefined) continue;
        ends.set(saved.ino, {
          inode: Number(inode),
          where: `${fd} of task ${task.pid}`,
          listens: saved.state === TCP_LISTEN,
        });
        if (saved.peer !== 0)
          connected.push({ task: task.pid, fd, ino: saved.ino, peer: saved.peer });
      }
    }
    const peers = connected.length === 0 ? undefined : listUnixPeers();
    if (peers === undefined) return;
    const names = new Map([...ends.values()].map(({ inode, where }) => [inode, where]));
    for (const { task, fd, ino, peer } of connected) {
      const other = ends.get(peer);
      // Outside the tree, or in nobody's descriptors; or the connection waits to be accepted: then its end has no number.
      if (other === undefined || other.listens) continue;
      const now = peers.get(ends.get(ino)!.inode);
      const found = now === undefined ? undefined : (names.get(now) ?? `socket ${now}`);
      same(task, `peer of descriptor ${fd}`, other.where, found);
    }
  },
};
