/** Network interfaces by their names, in this network namespace: netdevice(7). */
import { closeSync } from "node:fs";
import { ptr } from "bun:ffi";
import { ioctlFill } from "./descriptors.ts";
import { AF_UNIX, SOCK_DGRAM } from "./linux.ts";
import { openSocket } from "./sockets.ts";

const SIOCGIFINDEX = 0x8933;
const SIOCETHTOOL = 0x8946;
/** struct ifreq: a name, then what belongs to the request. */
const IFNAMSIZ = 16;
const SIZE = 40;
/** linux/ethtool.h: struct ethtool_drvinfo begins with its command and the driver's name. */
const ETHTOOL_GDRVINFO = 3;
const DRVINFO_SIZE = 196;
const DRIVER = { at: 4, length: 32 };

function ask(name: string, request: number, fill: (ifreq: Buffer) => void): Buffer | undefined {
  const ifreq = Buffer.alloc(SIZE);
  if (ifreq.write(name) >= IFNAMSIZ) return undefined;
  fill(ifreq);
  const fd = openSocket(AF_UNIX, SOCK_DGRAM);
  if (fd < 0) return undefined;
  const done = ioctlFill(fd, request, ifreq);
  closeSync(fd);
  return done < 0 ? undefined : ifreq;
}

/** Its number; undefined when there is none of that name. */
export const indexOf = (name: string): number | undefined =>
  ask(name, SIOCGIFINDEX, () => {})?.readInt32LE(IFNAMSIZ);

/** The driver that it belongs to, as `bridge`, `veth`; undefined when it does not tell, or is not there. */
export function driverOf(name: string): string | undefined {
  const info = Buffer.alloc(DRVINFO_SIZE);
  info.writeUInt32LE(ETHTOOL_GDRVINFO, 0);
  const at = BigInt(ptr(info));
  if (ask(name, SIOCETHTOOL, (ifreq) => ifreq.writeBigUInt64LE(at, IFNAMSIZ)) === undefined)
    return undefined;
  return info.toString("latin1", DRIVER.at, DRIVER.at + DRIVER.length).replace(/\0.*/s, "");
}
