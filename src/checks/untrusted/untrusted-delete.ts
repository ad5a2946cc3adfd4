import type { Check } from "../finding.ts";
import { allow, refusal } from "./refusal.ts";

export const untrustedDelete: Check = refusal({
  title: "An untrusted tree's restore would delete a file of this machine",
  reads: "remap-fpath.img, files.img, ghost-file-*.img; where each path leads on this machine",
  why:
    "CRIU removes the name from which a deleted file was linked back, once the restore succeeded, and an empty directory that stands where " +
    "a deleted one was. The images say what name that is.",
  remedy: allow,
});
