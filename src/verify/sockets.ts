/** Named Unix sockets: that each is bound to its name again, and listens if it did. */
import { linkOf } from "../host/processes.ts";
import { listUnixEnds, unixName } from "../host/sock-diag.ts";
import { listUnixSockets, type UnixSocket } from "../host/sockets.ts";
import type { UnixSkEntry } from "../image/index.ts";
import { SOCK_DGRAM, TCP_ESTABLISHED, TCP_LISTEN } from "../sys/linux.ts";
import type { Facet } from "./facet.ts";

export const unixSockets: Facet = {
  id: "unix sockets",
  final: "outside",
  moving: true,
  compare({ checkpoint, live }, { same, leftOut }) {
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
        if (saved === undefined || saved.name.length === 0) continue;
        if (saved.type !== SOCK_DGRAM && saved.state === TCP_ESTABLISHED) continue;
        if (saved.deleted || (saved.ns_id !== undefined && !seen.has(saved.ns_id))) {
          leftOut("names of sockets whose file was gone, or in a network namespace of no task");
          continue;
        }
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
 * What the kernel tells of the Unix sockets of this network namespace, and of no other: where both ends are in the tree,
 * which descriptors they are (inode numbers are new); what was shut down; how many may wait at one that listens.
 */
export const unixPeers: Facet = {
  id: "unix peers",
  final: "outside",
  moving: true,
  compare({ checkpoint, live }, { same, leftOut }) {
    const here = linkOf("self", "ns/net");
    /** Saved inode number to the live one, and which descriptor has it. */
    const ends = new Map<number, { inode: number; where: string; listens: boolean }>();
    const sockets: { task: number; fd: number; saved: UnixSkEntry }[] = [];
    for (const { task, proc } of live.tasks.values()) {
      let elsewhere: boolean | undefined;
      for (const { id, fd } of task.fds) {
        const saved = checkpoint.openFiles.get(id)?.usk;
        if (saved === undefined || ends.has(saved.ino)) continue;
        elsewhere ??= proc.link("ns/net") !== here;
        if (elsewhere) {
          leftOut("ends of sockets in another network namespace");
          continue;
        }
        const inode = /^socket:\[(\d+)\]$/.exec(proc.link(`fd/${fd}`) ?? "")?.[1];
        if (inode === undefined) continue;
        ends.set(saved.ino, {
          inode: Number(inode),
          where: `${fd} of task ${task.pid}`,
          listens: saved.state === TCP_LISTEN,
        });
        sockets.push({ task: task.pid, fd, saved });
      }
    }
    const told = sockets.length === 0 ? undefined : listUnixEnds();
    if (told === undefined)
      return leftOut("ends of sockets, of which this kernel does not tell", sockets.length);
    const names = new Map([...ends.values()].map(({ inode, where }) => [inode, where]));
    for (const { task, fd, saved } of sockets) {
      const { ino, peer, shutdown, backlog, state } = saved;
      const now = told.get(ends.get(ino)!.inode);
      if (shutdown !== undefined)
        same(task, `shutdown(2) of descriptor ${fd}`, shutdown, now?.shutdown);
      // net.core.somaxconn may allow less here.
      const fewer = now?.backlog !== undefined && now.backlog < backlog ? "tolerated" : undefined;
      if (state === TCP_LISTEN)
        same(task, `connections that may wait at descriptor ${fd}`, backlog, now?.backlog, fewer);
      if (peer === 0) continue;
      const other = ends.get(peer);
      // Outside the tree, or in no task's descriptors; or the connection waits to be accepted: then its end has no number.
      if (other === undefined || other.listens) {
        leftOut("peers outside the tree, or that wait to be accepted");
        continue;
      }
      const end = now?.peer;
      const found = end === undefined ? undefined : (names.get(end) ?? `socket ${end}`);
      same(task, `peer of descriptor ${fd}`, other.where, found);
    }
  },
};
