/** Sockets: questions to the kernel that change nothing. */
import { closeSync, readSync, writeSync } from "node:fs";
import { ptr } from "bun:ffi";
import { borrow, socketOption } from "./descriptors.ts";
import { call } from "./libc.ts";
import { readable } from "./process.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;
const AF_UNIX = 1;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
export const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

function openSocket(family: number, type: number, protocol = 0): number {
  return call((c) => c.socket(family, type | SOCK_CLOEXEC, protocol));
}

/**
 * Dump the sockets of this network namespace that `request` (of sock_diag(7), without the netlink header) asks for:
 * the answers without their headers; undefined when this kernel does not know that family.
 */
export function dumpSockets(request: Uint8Array): Buffer[] | undefined {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  if (fd < 0) return undefined;
  try {
    const packet = Buffer.alloc(16 + request.length);
    packet.writeUInt32LE(packet.length, 0);
    packet.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
    packet.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
    packet.set(request, 16);
    writeSync(fd, packet);
    return readAnswers(fd);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function readAnswers(fd: number): Buffer[] | undefined {
  const answers: Buffer[] = [];
  const space = Buffer.alloc(65536);
  for (;;) {
    const length = readSync(fd, space);
    for (let at = 0; at + 16 <= length;) {
      const size = space.readUInt32LE(at);
      const type = space.readUInt16LE(at + 4);
      if (type === NLMSG_DONE) return answers;
      if (type === NLMSG_ERROR || size < 16) return undefined;
      answers.push(Buffer.from(space.subarray(at + 16, at + size)));
      at += (size + 3) & ~3;
    }
    if (length <= 0) return undefined;
  }
}

/** The attributes of an answer, which begin at `at`, by number. netlink(7) */
export function attributesOf(answer: Buffer, at: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  while (at + 4 <= answer.length) {
    const size = answer.readUInt16LE(at);
    if (size < 4) break;
    found.set(answer.readUInt16LE(at + 2), answer.subarray(at + 4, at + size));
    at += (size + 3) & ~3;
  }
  return found;
}

/** SO_REUSEADDR and SO_REUSEPORT of another process's socket; undefined when it cannot be asked. */
export function reuseOf(pid: number, fd: number): { address: boolean; port: boolean } | undefined {
  return borrow(pid, fd, (copy) => {
    const ask = (option: number) => socketOption(copy, SOL_SOCKET, option, 4)?.readInt32LE(0);
    const [address, port] = [ask(SO_REUSEADDR), ask(SO_REUSEPORT)];
    return address === undefined || port === undefined
      ? undefined
      : { address: address > 0, port: port > 0 };
  });
}

/**
 * Whether a socket can be bound to an address (4 or 16 bytes) in this network namespace: 0 or -errno. It asks with a
 * port of the kernel's choice, which is given back at once; forwarding rules and ip_nonlocal_bind count as for any program.
 */
export function bindAddress(address: Uint8Array): number {
  const family = address.length === 4 ? AF_INET : AF_INET6;
  const fd = openSocket(family, SOCK_DGRAM);
  if (fd < 0) return fd;
  const name = Buffer.alloc(family === AF_INET ? 16 : 28);
  name.writeUInt16LE(family, 0);
  name.set(address, family === AF_INET ? 4 : 8);
  const result = call((c) => c.bind(fd, ptr(name), name.length));
  closeSync(fd);
  return result;
}

/**
 * Whether a datagram socket can be connected to the socket file behind the descriptor `handle` (O_PATH): 0 or -errno.
 * The other side is told nothing of it. unix(7)
 */
export function connectDatagram(handle: number): number {
  const fd = openSocket(AF_UNIX, SOCK_DGRAM);
  if (fd < 0) return fd;
  const name = Buffer.alloc(110);
  name.writeUInt16LE(AF_UNIX, 0);
  name.write(`/proc/self/fd/${handle}`, 2);
  const result = call((c) => c.connect(fd, ptr(name), name.length));
  closeSync(fd);
  return result;
}

const MSG_PEEK = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_TRUNC = 0x20;
const SO_PEERCRED = 17;

/**
 * Wait for the next message on a SOCK_SEQPACKET socket and look at it: it stays there. Empty when the other side has
 * gone; -errno.
 */
export function peekMessage(fd: number): Buffer | number {
  readable([fd]);
  const nothing = Buffer.alloc(1);
  const length = call((c) => c.recv(fd, ptr(nothing), 1n, MSG_PEEK | MSG_TRUNC));
  if (length < 0) return length;
  const bytes = Buffer.alloc(length + 1);
  const got = call((c) => c.recv(fd, ptr(bytes), BigInt(length), MSG_PEEK));
  return got < 0 ? got : bytes.subarray(0, got);
}

/** Take the next message away and answer it: 0 or -errno. */
export function answerMessage(fd: number, answer: Uint8Array): number {
  const nothing = Buffer.alloc(1);
  const taken = call((c) => c.recv(fd, ptr(nothing), 1n, 0));
  if (taken < 0) return taken;
  return sendMessage(fd, answer);
}

/** Take every message that waits on a SOCK_SEQPACKET socket, in their order. */
export function takeMessages(fd: number): Buffer[] {
  const messages: Buffer[] = [];
  const nothing = Buffer.alloc(1);
  for (;;) {
    const flags = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT;
    const length = call((c) => c.recv(fd, ptr(nothing), 1n, flags));
    if (length <= 0) return messages;
    const bytes = Buffer.alloc(length);
    call((c) => c.recv(fd, ptr(bytes), BigInt(length), 0));
    messages.push(bytes);
  }
}

/** Send a message from the socket's side of a descriptor: 0 or -errno. */
export const sendMessage = (fd: number, message: Uint8Array): number =>
  Math.min(
    call((c) => c.send(fd, ptr(message), BigInt(message.length), MSG_NOSIGNAL)),
    0,
  );

/** The pid of who made a socket pair or connected; undefined when it is no such socket. unix(7) */
export const peerOf = (fd: number): number | undefined =>
  socketOption(fd, SOL_SOCKET, SO_PEERCRED, 12)?.readInt32LE(0);

export { AF_UNIX, SOCK_DGRAM, SOCK_STREAM };
