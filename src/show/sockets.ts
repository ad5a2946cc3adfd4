/** Sockets: what they are called, in which state they were, and which tasks of the tree are at either end. */
import { filesWith, type Checkpoint } from "../image/index.ts";
import { AF_INET6 } from "../sys/linux.ts";
import { addressesOf, protocolOf, stateOf, typeName, unixName } from "./descriptors.ts";

export interface ShownSocket {
  readonly family: "unix" | "inet" | "inet6" | "netlink" | "packet";
  /** stream, datagram …; of IP its protocol. */
  readonly type: string;
  readonly state: string;
  /** A path, `@NAME` or ADDRESS:PORT; null: it has no name. */
  readonly local: string | null;
  readonly remote: string | null;
  readonly inode: number;
  /** Of its entry in files.img. */
  readonly id: number;
  /** Tasks that have it open. */
  readonly tasks: readonly number[];
  /** Tasks that have the other end open, where that is in the tree. */
  readonly peers: readonly number[];
  /** Messages that wait in it; of other sockets than Unix's no image says so. */
  readonly waiting: number;
  /** Their senders, where those were saved: `PID as UID:GID`. */
  readonly senders: readonly string[];
}

export function shownSockets(checkpoint: Checkpoint): ShownSocket[] {
  const holders = new Map<number, Set<number>>();
  for (const { pid, fds } of checkpoint.tasks)
    for (const { id } of fds) holders.set(id, (holders.get(id) ?? new Set()).add(pid));
  const tasksOf = (id: number) => [...(holders.get(id) ?? [])];
  const unix = new Map(filesWith(checkpoint, "usk").map(({ usk }) => [usk.ino, usk]));
  const queues = Map.groupBy(checkpoint.socketQueues, ({ id_for }) => id_for);
  const ends = new Map<string, number>();
  for (const { isk } of filesWith(checkpoint, "isk")) {
    const { local, remote } = addressesOf(isk);
    if (remote !== null) ends.set(`${isk.proto} ${local} ${remote}`, isk.id);
  }
  return [...checkpoint.openFiles.values()].flatMap((file): ShownSocket[] => {
    const { usk, isk, nlsk, psk } = file;
    if (usk !== undefined) {
      const peer = usk.peer === 0 ? undefined : unix.get(usk.peer);
      const queue = queues.get(usk.id) ?? [];
      const senders = queue.flatMap(({ ucred }) =>
        ucred === undefined ? [] : [`${ucred.pid} as ${ucred.uid}:${ucred.gid}`],
      );
      return [
        {
          family: "unix",
          type: typeName(usk.type),
          state: stateOf(usk.state),
          local: unixName(usk),
          remote: peer === undefined ? null : unixName(peer),
          inode: usk.ino,
          id: usk.id,
          tasks: tasksOf(usk.id),
          peers: peer === undefined ? [] : tasksOf(peer.id),
          waiting: queue.length,
          senders: [...new Set(senders)],
        },
      ];
    }
    if (isk !== undefined) {
      const { local, remote } = addressesOf(isk);
      const other = ends.get(`${isk.proto} ${remote} ${local}`);
      return [
        {
          family: isk.family === AF_INET6 ? "inet6" : "inet",
          type: protocolOf(isk),
          state: stateOf(isk.state),
          local,
          remote,
          inode: isk.ino,
          id: isk.id,
          tasks: tasksOf(isk.id),
          peers: other === undefined ? [] : tasksOf(other),
          waiting: 0,
          senders: [],
        },
      ];
    }
    const other = nlsk ?? psk;
    if (other === undefined) return [];
    return [
      {
        family: nlsk === undefined ? "packet" : "netlink",
        type: `protocol ${other.protocol}`,
        state: "open",
        local: null,
        remote: null,
        inode: nlsk?.ino ?? 0,
        id: other.id,
        tasks: tasksOf(other.id),
        peers: [],
        waiting: 0,
        senders: [],
      },
    ];
  });
}
