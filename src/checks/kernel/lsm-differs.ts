import { MANIFEST } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { lsmOf } from "./machine.ts";

/** Those that decide by labels or profiles what a program may do. */
const deciding = new Set(["apparmor", "selinux", "smack", "tomoyo"]);

export const lsmDiffers: Check = {
  title: "A security module runs here that did not where it was sealed",
  reads: "recriu.manifest; /sys/kernel/security/lsm",
  why:
    "Its policy is asked for what the tree does from now on, and knows nothing of it: what was allowed may be denied. A tree that had labels of another module " +
    "is blocked by lsm-mismatch. Where either side cannot be told, nothing is compared.",
  proof: "images",
  blocks: false,
  run({ seal, host }) {
    const was = seal?.ok ? seal.manifest.host?.lsm : undefined;
    const is = was && lsmOf(host);
    const come = is?.filter((name) => deciding.has(name) && !was!.includes(name)) ?? [];
    if (come.length === 0) return [];
    return [
      {
        severity: "warning",
        image: MANIFEST,
        subject: come.join(" "),
        message: `${come.join(", ")} runs here, and did not where it was sealed (${was!.join(",")})`,
        remedy: {
          kind: "human",
          text: "see whether its policy allows what the programs do: what it denies is in the kernel's log",
        },
      },
    ];
  },
};
