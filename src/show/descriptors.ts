/** What a descriptor is, in a line. */
import { SOCK_DGRAM, SOCK_STREAM, TCP_ESTABLISHED, TCP_LISTEN } from "../sys/linux.ts";
import { bytesOf, textOf } from "../checks/sockets/inet-entries.ts";
import { nameOf as unixNameOf } from "../checks/sockets/unix-entries.ts";
import type { FileEntry, InetSkEntry, UnixSkEntry } from "../image/index.ts";

/** Names of members of file_entry that need no more words. */
const kinds = {
  efd: "eventfd",
  epfd: "epoll",
  sgfd: "signalfd",
  tfd: "timerfd",
  ify: "inotify",
  ffy: "fanotify",
  nlsk: "netlink socket",
  psk: "packet socket",
  tty: "tty",
  memfd: "memfd",
  tunf: "tun",
  bpf: "bpf map",
  pidfd: "pidfd",
  fifo: "fifo",
  nsf: "namespace",
  ext: "external file",
} as const;

export function describe(file: FileEntry | undefined): string {
  if (file === undefined) return "not in files.img";
  if (file.reg !== undefined) return file.reg.name;
  if (file.usk !== undefined) {
    const name = unixName(file.usk);
    return `unix socket${name === null ? "" : ` ${name}`}, ${stateOf(file.usk.state)}`;
  }
  if (file.isk !== undefined) {
    const { local, remote } = addressesOf(file.isk);
    const peer = remote === null ? "" : ` to ${remote}`;
    return `${protocolOf(file.isk)} socket ${local}${peer}, ${stateOf(file.isk.state)}${ownerOf(file.isk)}`;
  }
  // Both its ends have the number of the pipe.
  if (file.pipe !== undefined) return `pipe ${file.pipe.pipe_id}${ownerOf(file.pipe)}`;
  const kind = Object.keys(kinds).find((key) => file[key as keyof typeof kinds] !== undefined);
  return kind === undefined ? "unknown kind" : kinds[kind as keyof typeof kinds];
}

/** Its owner, where that was saved and is not root. */
function ownerOf({ uid = 0, gid }: { uid?: number; gid?: number } = {}): string {
  if (uid === 0 && !gid) return "";
  return `, of ${uid}${gid === undefined ? "" : `:${gid}`}`;
}

/** CRIU saves the states of unix(7) sockets as TCP's, too. */
export const stateOf = (state: number): string =>
  state === TCP_LISTEN ? "listening" : state === TCP_ESTABLISHED ? "connected" : "open";

/** A path, or `@NAME` of an abstract one; null: it has none. */
export function unixName(entry: UnixSkEntry): string | null {
  const name = unixNameOf(entry);
  if (name === undefined) return null;
  return "path" in name ? name.path : `@${name.abstract.replace(/\0.*$/s, "")}`;
}

const protocols: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  136: "udplite",
};
export const protocolOf = ({ proto }: InetSkEntry): string => protocols[proto] ?? `raw ${proto}`;

export const typeName = (type: number): string =>
  type === SOCK_STREAM
    ? "stream"
    : type === SOCK_DGRAM
      ? "datagram"
      : type === 5
        ? "seqpacket"
        : "raw";

/** `ADDRESS:PORT`; `remote` null where it has no other end. */
export function addressesOf(entry: InetSkEntry): { local: string; remote: string | null } {
  const text = (words: readonly number[], port: number): string => {
    const address = bytesOf(entry.family, words);
    return address === undefined ? `?:${port}` : textOf(address, port);
  };
  return {
    local: text(entry.src_addr, entry.src_port),
    remote: entry.dst_port === 0 ? null : text(entry.dst_addr, entry.dst_port),
  };
}
