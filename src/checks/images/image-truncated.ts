import type { Check } from "../finding.ts";
import { findingsOf } from "./faults.ts";

export const imageTruncated: Check = {
  title: "An image ends early or does not hold what its name says",
  reads: "the framing, magic numbers and messages of every image but page data",
  why: "An interrupted copy or a full disk leaves images short. CRIU stops at the first entry that it cannot read.",
  proof: "criu",
  run: (context) =>
    findingsOf(context, "image-truncated", ["truncated", "magic", "malformed", "unreadable"]),
};
