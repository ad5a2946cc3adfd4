/** What the kernel knows of the sockets of this network namespace, exactly: sock_diag(7). */
import { AF_INET, AF_INET6, AF_UNIX, attributesOf, dumpSockets } from "../sys/sockets.ts";
import { type Bytes, fromBytes } from "../sys/text.ts";
import type { UnixSocket } from "./sockets.ts";

/** A Unix socket bound to a file, by that file. */
export interface BoundFile {
  /** Of the socket itself. */
  inode: number;
  /** The low 32 bits of the file's inode number, and its device as the kernel numbers it. */
  fileInode: number;
  device: number;
  /** As it was given to bind(2). */
  name: string;
  type: number;
  listening: boolean;
}

export interface InetSocket {
  family: number;
  protocol: number;
  /** As in tcp(7): 1 established, 6 time-wait, 7 closed (bound UDP), 10 listening … */
  state: number;
  source: Uint8Array;
  sourcePort: number;
  destination: Uint8Array;
  destinationPort: number;
  /** The interface it is bound to; 0 is none. */
  device: number;
  uid: number;
  inode: number;
  /** Undefined where the kernel does not say. */
  v6only: boolean | undefined;
}

const TCP_LISTEN = 10;
const UDIAG_SHOW_NAME = 1;
const UDIAG_SHOW_NAME_VFS = 3;
const UDIAG_SHOW_PEER = 4;
const UDIAG_SHOW_RQLEN = 16;
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_VFS = 1;
const UNIX_DIAG_PEER = 2;
const UNIX_DIAG_RQLEN = 4;
const UNIX_DIAG_SHUTDOWN = 6;
const INET_DIAG_SKV6ONLY = 11;

/** Unix sockets with a file; undefined when this kernel cannot tell (no unix_diag). */
export function listBoundFiles(): BoundFile[] | undefined {
  const request = Buffer.alloc(24);
  request.writeUInt8(AF_UNIX, 0);
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(UDIAG_SHOW_NAME_VFS, 12);
  return dumpSockets(request)?.flatMap((answer): BoundFile[] => {
    const attributes = attributesOf(answer, 16);
    const file = attributes.get(UNIX_DIAG_VFS);
    if (file === undefined || file.length < 8) return [];
    return [
      {
        type: answer.readUInt8(1),
        listening: answer.readUInt8(2) === TCP_LISTEN,
        inode: answer.readUInt32LE(4),
        fileInode: file.readUInt32LE(0),
        device: file.readUInt32LE(4),
        name: unixName(attributes.get(UNIX_DIAG_NAME) ?? Buffer.alloc(0)),
      },
    ];
  });
}

/** Unix sockets with their names, NUL bytes of an abstract one as `@`; undefined without unix_diag. */
export function listUnixNames(): UnixSocket[] | undefined {
  const request = Buffer.alloc(24);
  request.writeUInt8(AF_UNIX, 0);
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(UDIAG_SHOW_NAME, 12);
  return dumpSockets(request)?.map((answer) => ({
    type: answer.readUInt8(1),
    listening: answer.readUInt8(2) === TCP_LISTEN,
    inode: answer.readUInt32LE(4),
    path: unixName(attributesOf(answer, 16).get(UNIX_DIAG_NAME) ?? Buffer.alloc(0)),
  }));
}

/** A name as /proc/net/unix shows it: abstract ones with `@` for every NUL, paths as far as C reads them. */
export function unixName(name: Bytes): string {
  if (name[0] === 0) return fromBytes(name).replaceAll("\0", "@");
  const end = name.indexOf(0);
  return fromBytes(end < 0 ? name : name.slice(0, end));
}

/** What the kernel tells of a Unix socket beside its name. */
export interface UnixEnd {
  /** The inode number of the socket at the other end. */
  peer: number | undefined;
  /** Closed for receiving (1), for sending (2); undefined where the kernel does not say. */
  shutdown: number | undefined;
  /** Of one that listens: how many connections may wait. */
  backlog: number | undefined;
}

/** Unix sockets by their inode numbers; undefined without unix_diag. */
export function listUnixEnds(): Map<number, UnixEnd> | undefined {
  const request = Buffer.alloc(24);
  request.writeUInt8(AF_UNIX, 0);
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN, 12);
  const answers = dumpSockets(request);
  if (answers === undefined) return undefined;
  const ends = new Map<number, UnixEnd>();
  for (const answer of answers) {
    const attributes = attributesOf(answer, 16);
    const listens = answer.readUInt8(2) === TCP_LISTEN;
    ends.set(answer.readUInt32LE(4), {
      peer: attributes.get(UNIX_DIAG_PEER)?.readUInt32LE(0),
      shutdown: attributes.get(UNIX_DIAG_SHUTDOWN)?.readUInt8(0),
      backlog: listens ? attributes.get(UNIX_DIAG_RQLEN)?.readUInt32LE(4) : undefined,
    });
  }
  return ends;
}

/** Sockets of a protocol over both families; a family that cannot be asked has none. */
export function listInetSockets(protocol: number): InetSocket[] {
  return [AF_INET, AF_INET6].flatMap((family) => {
    const request = Buffer.alloc(56);
    request.writeUInt8(family, 0);
    request.writeUInt8(protocol, 1);
    request.writeUInt32LE(0xffffffff, 4);
    return (dumpSockets(request) ?? []).map((answer) => parseInet(answer, protocol));
  });
}

function parseInet(answer: Buffer, protocol: number): InetSocket {
  const family = answer.readUInt8(0);
  const size = family === AF_INET ? 4 : 16;
  const only = attributesOf(answer, 72).get(INET_DIAG_SKV6ONLY);
  return {
    family,
    protocol,
    state: answer.readUInt8(1),
    sourcePort: answer.readUInt16BE(4),
    destinationPort: answer.readUInt16BE(6),
    source: answer.subarray(8, 8 + size),
    destination: answer.subarray(24, 24 + size),
    device: answer.readUInt32LE(40),
    uid: answer.readUInt32LE(64),
    inode: answer.readUInt32LE(68),
    v6only: only === undefined ? undefined : only.readUInt8(0) !== 0,
  };
}
