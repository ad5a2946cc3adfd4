/** Settings of the kernel that are in the way of a restore: what a person types, and what recriu does with --fix=host. */
import { sh } from "../sys/shell.ts";
import type { Finding, Remedy, Setting } from "./finding.ts";

const PROC_SYS = "/proc/sys/";

/** Give a setting (by its name in /proc/sys, with slashes, or its path in /sys) another value. */
export function raised(
  name: string,
  { from, to, stays, text = "raise the limit" }: Omit<Setting, "path"> & { text?: string },
): Extract<Remedy, { kind: "human" }> {
  const path = name.startsWith("/") ? name : `${PROC_SYS}${name}`;
  const command = path.startsWith(PROC_SYS)
    ? sh`sysctl -w ${path.slice(PROC_SYS.length).replaceAll("/", ".")}=${to}`
    : sh`echo ${to} > ${path}`;
  // What is in the way is no number: that is left to a person.
  const setting = Number.isSafeInteger(from) && from >= 0 ? { path, from, to, stays } : undefined;
  return { kind: "human", text, command, setting };
}

/** The finding as it is where recriu may change settings of the kernel. */
export function settled(finding: Finding): Finding {
  const { remedy } = finding;
  if (remedy.kind !== "human" || remedy.setting === undefined || remedy.command === null)
    return finding;
  const { command, setting } = remedy;
  const { path, from, to, stays } = setting;
  const text = `set ${path} from ${from} to ${to}; ${stays ? "it stays so" : "it is given back when the tree runs"}`;
  return { ...finding, remedy: { kind: "host", text, command, setting } };
}
