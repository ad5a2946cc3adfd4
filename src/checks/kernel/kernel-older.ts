import { MANIFEST } from "../../image/index.ts";
import type { Check } from "../finding.ts";

export const kernelOlder: Check = {
  title: "This kernel is older than the one that it was sealed on",
  reads: "recriu.manifest; uname(2)",
  why:
    "Programs ask a kernel once what it can do, and go on using it: io_uring, a new system call, a flag of a socket. On an older one such a call fails " +
    "later, in a program that took it for granted. What CRIU itself needs other checks name.",
  proof: "images",
  blocks: false,
  run({ seal, host }) {
    if (!seal?.ok) return [];
    const { kernel } = seal.manifest;
    const [was, is] = [releaseOf(kernel), releaseOf(host.kernel)];
    if (was === undefined || is === undefined || is >= was) return [];
    return [
      {
        severity: "warning",
        image: MANIFEST,
        subject: host.kernel,
        message: `the kernel was ${kernel} where it was sealed; here it is ${host.kernel}`,
        remedy: {
          kind: "human",
          text: "restore on a kernel as new as that one, or see whether the programs need what it could do",
        },
      },
    ];
  },
};

/** The first two numbers of a release, as one; what follows is its builder's. */
function releaseOf(text: string): number | undefined {
  const found = /^(\d{1,5})\.(\d{1,5})/.exec(text);
  return found === null ? undefined : Number(found[1]) * 100_000 + Number(found[2]);
}
