/** Messages on a SOCK_SEQPACKET socket. */
import { ptr } from "bun:ffi";
import { SOL_SOCKET, socketOption } from "./descriptors.ts";
import { call } from "./libc.ts";
import { readable } from "./process.ts";

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

/** The pid of the process that made a socket pair or connected; undefined when it is no such socket. unix(7) */
export const peerOf = (fd: number): number | undefined =>
  socketOption(fd, SOL_SOCKET, SO_PEERCRED, 12)?.readInt32LE(0);
