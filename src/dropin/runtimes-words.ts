/** Findings in the words of a container runtime: it takes CRIU's options only where it has them as flags, and the root is its own. */
import { readFileSync, realpathSync } from "node:fs";
import { callsRestore } from "../checks/again.ts";
import type { Finding } from "../checks/index.ts";
import { configLines, criuOptions, type Request } from "../criu/index.ts";
import { mountHolding } from "../host/mount-places.ts";

const flags = new Set(
  criuOptions.filter(({ runtime }) => runtime === "flag").map(({ name }) => name),
);

/** Where a line for CRIU stands that goes over what a runtime asks. */
const file =
  "in the file that the annotation org.criu.config of config.json names, or in /etc/criu/runc.conf (crun from 1.26 on: crun.conf)";

export function inRuntimesWords(findings: readonly Finding[], { root }: Request): Finding[] {
  const flagged = findings.map(withRuntimesOption).map(withoutRestore);
  if (root === undefined || root === "/") return flagged;
  const lasts = !isMountPoint(root);
  return flagged.map((finding) => inContainer(finding, root, lasts));
}

function withRuntimesOption(finding: Finding): Finding {
  const { id, remedy, subject } = finding;
  if (remedy.kind !== "option") return finding;
  const [name = ""] = remedy.option.slice(2).split(/[= ]/);
  if (flags.has(name)) return finding;
  const text =
    id === "external-mount-unmapped"
      ? `give the container that mount again: an entry for ${subject} in mounts of config.json (-v of podman and docker)`
      : `${remedy.text}: the line ${configLines([remedy.option.replace(/^(--[a-z-]+) /, "$1=")]).trim()} ${file}`;
  return { ...finding, remedy: { kind: "human", text, command: null } };
}

/** It is the runtime that calls CRIU, with images and a root that are often gone with it: such a command would find nothing. */
function withoutRestore(finding: Finding): Finding {
  const { remedy } = finding;
  if (!remedy.command || !callsRestore(remedy.command)) return finding;
  const set = remedy.kind === "variable" ? `: ${remedy.variable} in the runtime's environment` : "";
  return { ...finding, remedy: { kind: "human", text: `${remedy.text}${set}`, command: null } };
}

/**
 * Paths below the root as the container has them. A root that is mounted for the container (overlay's `merged`) is gone with
 * it, and so is what a command would do there.
 */
function inContainer(finding: Finding, root: string, lasts: boolean): Finding {
  const inside = (text: string) => text.replaceAll(below(root), "/");
  const [message, text] = [inside(finding.message), inside(finding.remedy.text)];
  const { command } = finding.remedy;
  const isThere = command !== null && below(root).test(command);
  if (message === finding.message && text === finding.remedy.text && !isThere) return finding;
  const elsewhere = "in the container's image, or in its root while that is mounted (podman mount)";
  const remedy: Finding["remedy"] =
    isThere && !lasts
      ? { kind: "human", text: `${text}; ${elsewhere}`, command: null }
      : { ...finding.remedy, text };
  return {
    ...finding,
    subject: inside(finding.subject),
    message: `${message} (in the container${lasts ? `, whose root is ${root}` : ""})`,
    remedy,
  };
}

/** `ROOT/` at the beginning of a path. */
const below = (root: string): RegExp => new RegExp(`(?<![^\\s'"(:=])${RegExp.escape(root)}/`, "g");

function isMountPoint(path: string): boolean {
  try {
    const real = realpathSync.native(path);
    return mountHolding(readFileSync("/proc/self/mountinfo", "utf8"), real)?.mount.point === real;
  } catch {
    return false;
  }
}
