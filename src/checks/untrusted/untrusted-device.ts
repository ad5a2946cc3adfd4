import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedDevice: Check = refusal({
  title: "An untrusted tree would hold a device of this machine",
  reads: "files.img, tty-info.img, ghost-file-*.img; the number of each device",
  why:
    "A disk, memory or another's terminal in the tree's hands goes past every file's permissions; a device that was deleted, CRIU makes " +
    "again with the number that the images name. /dev/null, zero, full, random, urandom, tty, ptmx and the tree's own terminals are no finding.",
  remedy:
    "restore it where there is no such device: in a virtual machine, or a container without it",
});
