/** A line to the machine's log (syslog(3), RFC 3164), where there is one: it is not waited for. */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { call } from "./libc.ts";
import { AF_UNIX, SOCK_DGRAM } from "./linux.ts";
import { openSocket } from "./sockets.ts";

const SOCKET = "/dev/log";
/** user.err */
const PRIORITY = 1 * 8 + 3;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export function logToSystem(text: string): void {
  const fd = openSocket(AF_UNIX, SOCK_DGRAM);
  if (fd < 0) return;
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(SOCKET, 2);
  const message = Buffer.from(`<${PRIORITY}>recriu[${process.pid}]: ${text}`);
  if (call((c) => c.connect(fd, ptr(address), address.length)) >= 0)
    call((c) => c.send(fd, ptr(message), BigInt(message.length), MSG_DONTWAIT | MSG_NOSIGNAL));
  closeSync(fd);
}
