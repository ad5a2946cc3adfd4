import { knows, NEWEST_IMAGES, since } from "../../criu/index.ts";
import type { Check } from "../finding.ts";

export const imageVersion: Check = {
  title: "The images are of a kind that CRIU does not read",
  reads: "img_version, fdinfo_per_id and root_cg_set in inventory.img",
  why: "CRIU reads images of version 1 and 2 (all since CRIU 1.0), from 4.3 on version 3, too (memory that is compressed). Others are of a version to come, or the inventory is damaged.",
  proof: "criu",
  run({ checkpoint: { inventory }, criu }) {
    if (inventory === undefined) return [];
    const problems: [field: string, message: string, criu: string, text: string][] = [];
    const again = "dump again with a CRIU of today, or copy inventory.img again";
    if (!inventory.fdinfo_per_id)
      problems.push([
        "fdinfo_per_id",
        "the images are of a CRIU before 1.0, which no CRIU of today reads",
        "Too old image, no longer supported",
        again,
      ]);
    else if (inventory.root_cg_set === 0)
      problems.push([
        "root_cg_set",
        "the inventory names cgroup set 0, which there is none of: it is damaged",
        "Corrupted root cgset",
        again,
      ]);
    else if (inventory.img_version === 3 && !knows(criu?.version, "compressed", true))
      problems.push([
        "img_version",
        `the images are of version 3, of a dump by CRIU ${since.compressed} or later that compressed the memory; CRIU ${criu?.version} reads 1 and 2`,
        "Not supported images version 3",
        `restore with CRIU ${since.compressed} or later (--criu=PATH names it)`,
      ]);
    else if (inventory.img_version < 1 || inventory.img_version > NEWEST_IMAGES)
      problems.push([
        "img_version",
        `the images are of version ${inventory.img_version}; recriu knows 1 to ${NEWEST_IMAGES}`,
        `Not supported images version ${inventory.img_version}`,
        "restore with the CRIU that made them, without recriu: criu restore",
      ]);
    return problems.map(([subject, message, criu_message, text]) => ({
      image: "inventory.img",
      severity: "blocker",
      subject,
      message,
      criu_message,
      remedy: { kind: "human", text },
    }));
  },
};
