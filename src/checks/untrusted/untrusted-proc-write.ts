import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedProcWrite: Check = refusal({
  title: "An untrusted tree would write to the kernel's settings",
  reads: "files.img, mountpoints-*.img; the file system of each path",
  why:
    "Files of /proc and /sys are the kernel's own switches, for the whole machine: a program that it runs as root (core_pattern, " +
    "modprobe, uevent_helper), memory of others, drivers. No directory of --allow-write opens them.",
  remedy: "restore it in a virtual machine, which has a kernel of its own",
});
