import { knows, NEWEST_KNOWN, since } from "../../criu/index.ts";
import { join } from "../../sys/path.ts";
import { sh, type ShellCommand } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";

/** compress of inventory.img: LZ4, block by block. No CRIU known here writes another. */
const LZ4 = 1;

export const imageCompressed: Check = {
  title: "The memory in the images is compressed as this CRIU cannot read it",
  reads:
    "compress and img_version in inventory.img; blocks in pagemap-*.img, also of the older checkpoints behind the link parent; criu check --feature compress",
  why:
    "CRIU 4.3 and later compress memory (dump --compress) where they are built with LZ4, which not every distribution does: Debian's 4.3 is not. " +
    "Without LZ4 no CRIU restores such images. An older one refuses their version (image-version); where only the older checkpoint of an " +
    "incremental one is compressed it does not notice, takes the compressed bytes for pages, and spins for ever when they end.",
  proof: "criu",
  run({ checkpoint: { dir, inventory, packed }, criu }) {
    if (inventory === undefined) return [];
    const { img_version: version, compress: mode = 0 } = inventory;
    if (mode === 0 && packed === undefined) return [];
    const place = packed?.parent === undefined ? dir : join(dir, packed.parent);
    const where = packed?.parent === undefined ? "" : ` in the older checkpoint ${packed.parent}`;
    const unpacked = {
      text: `restore with a CRIU ${since.compressed} or later that has LZ4 (--criu=PATH names it), or unpack the images with crit of that release, which keeps the others as *.bak`,
      command: sh`crit decompress ${place}`,
    };
    const problem = (
      message: string,
      criu_message: string | null,
      remedy: { text: string; command: ShellCommand | null } = unpacked,
    ): Problem[] => [
      {
        severity: "blocker",
        image: mode === 0 ? packed!.pagemap : "inventory.img",
        subject: mode === 0 ? "blocks" : "compress",
        message,
        criu_message,
        remedy: { kind: "human", ...remedy },
      },
    ];
    if (!knows(criu?.version, "compressed", true))
      return version > 2 || packed === undefined
        ? []
        : problem(
            `memory${where} is compressed, and CRIU ${criu!.version} does not know that: it would take the compressed bytes for pages`,
            null,
          );
    if (mode !== 0 && version < 3)
      return problem(
        `the memory is said to be compressed, in images of version ${version}, which have none so: inventory.img is damaged`,
        `Image version ${version} cannot contain compressed memory pages`,
        { text: "copy inventory.img again from where the checkpoint was made", command: null },
      );
    const refusal = criu?.featureRefusal("compress");
    if (refusal?.kind === "refused")
      return problem(
        `memory${where} is compressed, and ${criu!.path} cannot read that (criu check --feature compress ${refusal.line === "" ? "fails" : `says: ${refusal.line}`})`,
        mode === 0
          ? "Pagemap contains compressed pages but CRIU was built without LZ4 support (CONFIG_LZ4)"
          : "LZ4 support is required for this image chain",
      );
    if ((mode === 0 || mode === LZ4) && refusal?.kind === "unanswered")
      return problem(
        `memory${where} is compressed, and whether ${criu!.path} can read that it did not say in ten seconds (criu check --feature compress)`,
        null,
      ).map((unknown) => ({ ...unknown, severity: "warning" as const }));
    if (mode === 0 || mode === LZ4) return [];
    return problem(
      `the memory is compressed in a way (${mode}) that is not known up to CRIU ${NEWEST_KNOWN}`,
      `Image has unknown compression mode ${mode}`,
      { text: "restore with the CRIU that made them (--criu=PATH names it)", command: null },
    );
  },
};
