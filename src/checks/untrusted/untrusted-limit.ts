import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedLimit: Check = refusal({
  title: "An untrusted tree would have more of this machine than the caller",
  reads: "rlimits and oom_score_adj in core-*.img; those of recriu",
  why: "The images name the limits of each task, and how late it is killed when memory runs short. Root's CRIU gives both, beyond what the caller has.",
  remedy: "raise the limits of the caller to these, or restore it without CAP_SYS_RESOURCE",
});
