/** Capabilities, limits and what else a task would keep of CRIU. */
import { startDumped } from "./stage/dumped.ts";
import { type Stage } from "./stage.ts";
import { existsSync } from "node:fs";

export const without = (capability: string) => [
  "capsh",
  `--drop=${capability}`,
  "--",
  "-c",
  'exec "$@"',
  "sh",
];

export const simple = async (stage: Stage) => {
  return startDumped(stage);
};

export const clear = (set: number[], capability: number) => {
  set[0] = (set[0]! & ~(1 << capability)) >>> 0;
};

/** A security module that does not run here, as images and options name it, and a label of it. */
export const otherLsm = existsSync("/sys/kernel/security/apparmor")
  ? { type: 1, name: "selinux", label: "system_u:system_r:container_t:s0" }
  : { type: 2, name: "apparmor", label: "docker-default" };
