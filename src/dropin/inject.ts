/**
 * A request in the place of the one that waits. A socket's queue is filled from its other end only, so the request goes
 * in through a copy of the client's descriptor: the client itself, which waits for an answer, sees nothing of it.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { listUnixEnds } from "../host/sock-diag.ts";
import { borrow } from "../sys/descriptors.ts";
import { sendMessage, takeMessages } from "../sys/messages.ts";

/** Replace the first message that waits on socket `fd` by `message`. False: nothing is there to replace it through. */
export function inject(fd: number, client: number, message: Uint8Array): boolean {
  const end = otherEnd(fd, client);
  if (end === undefined) return false;
  const injected = borrow(client, end, (copy) => {
    const [replaced, ...others] = takeMessages(fd);
    if (replaced === undefined) return false;
    return [message, ...others].every((each) => sendMessage(copy, each) === 0);
  });
  return injected === true;
}

/** The client's descriptor of the socket that `fd` is connected to. */
function otherEnd(fd: number, client: number): number | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  const peer = listUnixEnds()?.get(Number(inode))?.peer;
  if (peer === undefined) return undefined;
  try {
    const numbers = readdirSync(`/proc/${client}/fd`);
    const found = numbers.find((n) => linkOf(`/proc/${client}/fd/${n}`) === `socket:[${peer}]`);
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed meanwhile
  }
}
