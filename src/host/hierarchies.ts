/** The hierarchies of control groups that this machine has, and its controllers. */
import { readFileSync } from "node:fs";
import { statAt } from "../sys/look.ts";
import { type CgroupMount, parseCgroupMounts } from "./cgroups.ts";

/** Those of this process's mount namespace that can be reached: others may be mounted over them. */
export function listCgroupMounts(): CgroupMount[] {
  try {
    const mounts = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
    return mounts.filter(({ mountpoint, device }) => isDevice(mountpoint, device));
  } catch {
    return [];
  }
}

function isDevice(path: string, device: string): boolean {
  const stat = statAt(path);
  if (typeof stat === "number") return false;
  const { dev } = stat;
  // makedev(3) as glibc packs it, for device numbers of 32 bits
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)];
  return device === `${major}:${minor}`;
}

/** Controllers that this kernel has enabled, and the v1 hierarchy (0: none, or cgroup2) each is bound to: /proc/cgroups. */
export function listControllers(): Map<string, { hierarchy: number; enabled: boolean }> {
  const controllers = new Map<string, { hierarchy: number; enabled: boolean }>();
  let text = "";
  try {
    text = readFileSync("/proc/cgroups", "utf8");
  } catch {
    return controllers; // no cgroups in this kernel
  }
  for (const line of text.split("\n")) {
    const [name, hierarchy, , enabled] = line.split("\t");
    if (name && !name.startsWith("#"))
      controllers.set(name, { hierarchy: Number(hierarchy), enabled: enabled === "1" });
  }
  return controllers;
}
