import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedKernel: Check = refusal({
  proof: "images",
  title: "An untrusted tree's images would teach the kernel something",
  reads: "apparmor.img, binfmt-misc*.img, cgroup.img",
  why: "AppArmor profiles, binary formats and a cgroup's release agent hold for the whole machine and outlive the tree; the latter two are programs that the kernel starts for others, or as root.",
  remedy: "restore it in a virtual machine, which has a kernel of its own",
});
