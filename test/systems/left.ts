/** What a system leaves on the disk that outlasts a reboot, /srv, and for the other systems. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";

/** The names of systems are those of their kernels: the tests know no others. */
export const own = release();
/** Here every system leaves, and finds, what goes to the others. */
export const carried = "/mnt/carried";

export const boot = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Numbers that a machine has not given away again soon after its start: the tree's will be free then. */
export const highNumbers = (): void => writeFileSync("/proc/sys/kernel/ns_last_pid", "30000");

export function leave(name: string, images: string, about: object): string {
  const dir = join("/srv/left", name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync("/srv/left", { recursive: true });
  cpSync(images, dir, { recursive: true });
  writeFileSync(`${dir}.json`, JSON.stringify(about));
  return dir;
}

export const left = <T>(name: string): T & { readonly images: string } => {
  const images = join("/srv/left", name);
  return { ...(JSON.parse(readFileSync(`${images}.json`, "utf8")) as T), images };
};
