/** Network interfaces of this network namespace. /sys may be another's: it shows that of whoever mounted it. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { addressOf } from "../sys/address.ts";
import { driverOf, indexOf } from "../sys/interfaces.ts";

/** Index by name (netdevice(7)); undefined when it cannot be read. */
export function listInterfaces(): Map<string, number> | undefined {
  try {
    const names = readFileSync("/proc/thread-self/net/dev", "utf8")
      .split("\n")
      .flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []);
    const indices = new Map<string, number>();
    for (const name of names) {
      const index = indexOf(name);
      if (index === undefined) return undefined;
      indices.set(name, index);
    }
    return indices;
  } catch {
    return undefined;
  }
}

/** getifaddrs(3), each once. */
export function listAddresses(): Uint8Array[] {
  const texts = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
  return [...new Set(texts)].flatMap((text) => addressOf(text) ?? []);
}

/** Whether there is a bridge of that name. */
export const isBridge = (name: string): boolean => driverOf(name) === "bridge";
