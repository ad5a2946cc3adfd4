/** Network interfaces of this network namespace. */
import { readdirSync, readFileSync } from "node:fs";

/** Index by name (netdevice(7)); undefined when it cannot be read. */
export function listInterfaces(): Map<string, number> | undefined {
  const directory = "/sys/class/net";
  try {
    const names = readFileSync("/proc/self/net/dev", "utf8")
      .split("\n")
      .flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []);
    const known = new Set(readdirSync(directory));
    // Another namespace's /sys would show other interfaces.
    if (!names.every((name) => known.has(name))) return undefined;
    return new Map(
      names.map((name) => [name, Number(readFileSync(`${directory}/${name}/ifindex`, "utf8"))]),
    );
  } catch {
    return undefined;
  }
}
