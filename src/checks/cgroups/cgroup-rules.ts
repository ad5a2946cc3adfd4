/** What a cgroup must allow, once it is there, for the tree to come back in it (cgroup.c). */
import type { Remedy } from "../finding.ts";

export const ignore = (text: string): Remedy => ({
  kind: "option",
  text,
  option: "--manage-cgroups=ignore",
  automatic: false,
});
