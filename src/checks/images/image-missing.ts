import type { Check } from "../finding.ts";
import { findingsOf } from "./faults.ts";

export const imageMissing: Check = {
  title: "An image that the restore needs is not there",
  reads:
    "the listing of the images directory; pstree.img, core-*.img and pagemap-*.img say which files belong to it",
  why: "CRIU treats a missing image as an empty one and finds out in the middle of the restore, when it may already have made tasks. A task without descriptors has no fdinfo image: that one is only missed where files.img holds what no descriptor, mapping or directory is.",
  proof: "criu",
  run: (context) => findingsOf(context, "image-missing", ["missing", "absent"]),
};
