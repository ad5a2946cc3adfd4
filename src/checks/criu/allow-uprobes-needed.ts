import { knows } from "../../criu/index.ts";
import type { Check } from "../finding.ts";

export const allowUprobesNeeded: Check = {
  title: "The tree was dumped with --allow-uprobes",
  reads: "allow_uprobes in inventory.img; --allow-uprobes; the version of CRIU",
  why:
    "A tracer's uprobes add a mapping to a task. CRIU leaves that mapping out where --allow-uprobes was given at the dump and is given " +
    "again at the restore (from 4.2 on). The option permits no more than that: the tracer must set its probes anew.",
  proof: "criu",
  answers: ["option"],
  run({ checkpoint, request, criu }) {
    const able = knows(criu?.version, "uprobes", false);
    if (!checkpoint.inventory?.allow_uprobes || request.allowUprobes || !able) return [];
    return [
      {
        image: "inventory.img",
        severity: "blocker",
        subject: "--allow-uprobes",
        message: "the tree was dumped with --allow-uprobes, which the restore must be given too",
        criu_message: "Dumped with --allow-uprobes. Need to set it on restore as well.",
        remedy: {
          kind: "option",
          text: "allow uprobes in this restore, too",
          option: "--allow-uprobes",
          automatic: !request.explicit.has("allow-uprobes"),
        },
      },
    ];
  },
};
