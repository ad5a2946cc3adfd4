import type { Check } from "../finding.ts";
import { allow, refusal } from "./refusal.ts";

export const untrustedWrite: Check = refusal({
  title: "An untrusted tree would write to a file of this machine",
  reads: "files.img, mm-*.img, remap-fpath.img, cgroup.img; where each path leads on this machine",
  why:
    "CRIU opens as root what the images name, with the flags that they name: a descriptor open for writing, or a shared mapping, is the " +
    "tree's from then on, whoever it runs as. A flag can empty a file at once, and deleted files and cgroups are made wherever the images say. " +
    "With --allow-write=DIR what lies below DIR, links followed, is allowed.",
  remedy: allow,
});
