/** Sockets: questions to the kernel that change nothing. */
import { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, SOCK_DGRAM, SOCK_RAW } from "./linux.ts";
import { closeSync, readSync, writeSync } from "node:fs";
import { ptr } from "bun:ffi";
import { borrow, SOL_SOCKET, socketOption } from "./descriptors.ts";
import { call } from "./libc.ts";

const SOCK_CLOEXEC = 0x80000;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** A descriptor, closed on exec, or -errno. */
export function openSocket(family: number, type: number, protocol = 0): number {
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
