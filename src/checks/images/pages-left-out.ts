import { LEFT_OUT } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { mib } from "../kernel/limits.ts";

export const pagesLeftOut: Check = {
  title: "The memory of the programs was left out of this pack",
  reads: "recriu.left-out and recriu.manifest, where a pack has them",
  why:
    "`recriu pack --without-pages` makes a small pack, by which preflight tells of each machine whether it could take the checkpoint: as if " +
    "the memory, and the files that were taken along, were there. Nothing can be restored from it.",
  proof: "criu",
  run({ seal, looksOnly }) {
    if (seal?.ok !== true || seal.leftOut.size === 0) return [];
    const [[first, size]] = [...seal.leftOut] as [[string, number]];
    const bytes = seal.leftOut.values().reduce((sum, each) => sum + each, 0);
    return [
      {
        severity: looksOnly ? "info" : "blocker",
        image: LEFT_OUT,
        subject: first,
        message: `${mib(bytes)} of memory were left out of this pack: it can be looked at, and not restored`,
        criu_message: looksOnly || size === 0 ? null : `No ${first} image`,
        remedy: {
          kind: "human",
          text: "restore from the checkpoint itself, or from a pack of it that has its memory",
        },
      },
    ];
  },
};
