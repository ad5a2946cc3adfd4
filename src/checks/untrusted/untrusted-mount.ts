import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedMount: Check = refusal({
  title: "An untrusted tree's images choose what is mounted from this machine",
  reads: "mountpoints-*.img; --external mnt[KEY]:PATH",
  why:
    "CRIU mounts what the images name into the tree: with automatic external mounts any directory of this machine, with others a disk, or a file " +
    "system that is the kernel's own. Mounts that options name are the caller's word, and those that hold nothing of the machine's are no finding.",
  remedy: "map it yourself with --external mnt[KEY]:PATH, to something that the tree may have",
});
