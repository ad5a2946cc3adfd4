/** Unix sockets of a network namespace, from /proc/net/unix (proc_net(5), unix(7)). */
import { readFileSync } from "node:fs";

export interface UnixSocket {
  /** As bound: a path, or `@name` for an abstract one; "" when unbound. */
  path: string;
  /** SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5. */
  type: number;
  listening: boolean;
  inode: number;
}

/** The kernel sets this flag on a socket that accepts connections (__SO_ACCEPTCON). */
const SO_ACCEPTCON = 0x10000;

export function parseUnixSockets(text: string): UnixSocket[] {
  const sockets: UnixSocket[] = [];
  for (const line of text.split("\n").slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path; the path may hold blanks.
    const match = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +(\d+) ?(.*)$/.exec(line);
    if (match === null) continue;
    sockets.push({
      listening: (Number.parseInt(match[1]!, 16) & SO_ACCEPTCON) !== 0,
      type: Number.parseInt(match[2]!, 16),
      inode: Number(match[3]),
      path: match[4]!,
    });
  }
  return sockets;
}

/** The sockets of the network namespace of process `pid` (default: this one's); none when it cannot be read. */
export function listUnixSockets(pid: number | "self" = "self"): UnixSocket[] {
  try {
    return parseUnixSockets(readFileSync(`/proc/${pid}/net/unix`, "utf8"));
  } catch {
    return [];
  }
}
