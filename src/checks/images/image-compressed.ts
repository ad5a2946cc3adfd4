import { knows, NEWEST_KNOWN, since } from "../../criu/index.ts";
import type { Check, Problem } from "../finding.ts";

/** compress of inventory.img: LZ4, block by block. No CRIU known here writes another. */
const LZ4 = 1;

export const imageCompressed: Check = {
  title: "The memory in the images is compressed as this CRIU cannot read it",
  reads: "compress and img_version in inventory.img; criu check --feature compress",
  why:
    "CRIU 4.3 and later compress memory (dump --compress) where they are built with LZ4, which not every distribution does: Debian's 4.3 is not. " +
    "Without LZ4 no CRIU restores such images; an older one refuses their version (image-version).",
  proof: "criu",
  run({ checkpoint: { inventory }, criu }) {
    const mode = inventory?.compress ?? 0;
    if (inventory === undefined || mode === 0 || !knows(criu?.version, "compressed", true))
      return [];
    const problem = (message: string, criu_message: string, text: string): Problem[] => [
      {
        severity: "blocker",
        image: "inventory.img",
        subject: "compress",
        message,
        criu_message,
        remedy: { kind: "human", text },
      },
    ];
    const { img_version: version } = inventory;
    if (version < 3)
      return problem(
        `the memory is said to be compressed, in images of version ${version}, which have none so: inventory.img is damaged`,
        `Image version ${version} cannot contain compressed memory pages`,
        "copy inventory.img again from where the checkpoint was made",
      );
    const refusal = criu?.featureRefusal("compress");
    if (refusal !== undefined)
      return problem(
        `the memory is compressed, and ${criu!.path} cannot read that (criu check --feature compress: ${refusal})`,
        "LZ4 support is required for this image chain",
        `restore with a CRIU ${since.compressed} or later that has LZ4 (--criu=PATH names it), or unpack a copy with its crit: crit decompress`,
      );
    if (mode === LZ4) return [];
    return problem(
      `the memory is compressed in a way (${mode}) that is not known up to CRIU ${NEWEST_KNOWN}`,
      `Image has unknown compression mode ${mode}`,
      "restore with the CRIU that made them (--criu=PATH names it)",
    );
  },
};
