/** Unix sockets of a network namespace: sock_diag(7), and /proc/net/unix where that cannot be asked (proc_net(5), unix(7)). */
import { readFileSync } from "node:fs";
import { fromBytes } from "../sys/text.ts";
import { listUnixNames } from "./sock-diag.ts";

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
  for (const line of text.replace(/\n$/, "").split("\n").slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path; the path may hold blanks.
    const match = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +(\d+) ?(.*)$/s.exec(line);
    if (match === null) {
      // A name may have a newline in it.
      const last = sockets.at(-1);
      if (last !== undefined) last.path += `\n${line}`;
      continue;
    }
    sockets.push({
      listening: (Number.parseInt(match[1]!, 16) & SO_ACCEPTCON) !== 0,
      type: Number.parseInt(match[2]!, 16),
      inode: Number(match[3]),
      path: match[4]!,
    });
  }
  return sockets;
}

/**
 * The sockets of the network namespace of process `pid` (default: this one's); none when it cannot be read. Of another
 * namespace only /proc tells, where a name can look like the lines of other sockets.
 */
export function listUnixSockets(pid: number | "self" = "self"): UnixSocket[] {
  try {
    const exact = pid === "self" ? listUnixNames() : undefined;
    return (
      exact ??
      parseUnixSockets(
        fromBytes(readFileSync(`/proc/${pid === "self" ? "thread-self" : pid}/net/unix`)),
      )
    );
  } catch {
    return [];
  }
}
