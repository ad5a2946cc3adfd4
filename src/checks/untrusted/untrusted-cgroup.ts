import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedCgroup: Check = refusal({
  title: "An untrusted tree would join or change a cgroup of others",
  reads: "cgroup.img, cg_set in core-*.img; /proc/self/cgroup, the cgroups that are there",
  why:
    "In another service's cgroup the tree takes of that one's memory and processor time, leaves the limits of the caller, and is stopped " +
    "and killed with it; a cgroup's new owner may move and freeze all that is in it.",
  remedy: {
    kind: "option",
    text: "let the tree stay in the cgroup that the restore is run from",
    option: "--manage-cgroups=ignore",
    automatic: false,
  },
});
