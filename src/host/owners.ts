/** The holders of a socket of this machine: found by its inode among the descriptors of all processes. */
import { reuseOf } from "../sys/sockets.ts";
import { commOf, descriptorsOf, type Stat } from "./processes.ts";

export interface Owner {
  pid: number;
  fd: number;
  comm: string;
}

/** By inode; of several that share a socket the first is named. */
export function listOwners(processes: readonly Stat[]): Map<number, Owner> {
  const owners = new Map<number, Owner>();
  for (const { pid } of processes) {
    for (const [fd, target] of descriptorsOf(pid)) {
      const inode = Number(/^socket:\[(\d+)\]$/.exec(target)?.[1]);
      if (inode > 0 && !owners.has(inode)) owners.set(inode, { pid, fd, comm: commOf(pid) ?? "" });
    }
  }
  return owners;
}

/** Whether its owner lets others have its address, or its port too; undefined when the owner cannot be asked. */
export const reuse = (owner: Owner | undefined) =>
  owner === undefined ? undefined : reuseOf(owner.pid, owner.fd);
