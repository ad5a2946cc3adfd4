/** Remedies in the words of a container runtime, which takes CRIU's options only where it has them as flags. */
import type { Finding } from "../checks/index.ts";
import { configLines, criuOptions } from "../criu/index.ts";

const flags = new Set(
  criuOptions.filter(({ runtime }) => runtime === "flag").map(({ name }) => name),
);

/** Where a line for CRIU stands that goes over what a runtime asks. */
const file =
  "in the file that the annotation org.criu.config of config.json names, or in /etc/criu/runc.conf (crun from 1.26 on: crun.conf)";

export function inRuntimesWords(finding: Finding): Finding {
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
