import { compareVersions, knows, since } from "../../criu/index.ts";
import { criuHas, knownFault } from "../../criu/known-faults.ts";
import { byName } from "../../criu/option-names.ts";
import type { Checkpoint } from "../../image/index.ts";
import { pagemap_entry } from "../../image/tables/memory.ts";
import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";

/** Whether a task's pagemap counts pages in the field that CRIU has since 4.2 (images/pagemap.proto). */
const countsAnew = (checkpoint: Checkpoint, pid: number): boolean =>
  checkpoint
    .values(`pagemap-${pid}.img`, pagemap_entry)
    .some(({ nr_pages }) => nr_pages !== undefined);

export const criuTooOld: Check = {
  title: "This CRIU is too old for this kernel or these images",
  reads:
    "criu --version; [vvar_vclock] in /proc/self/maps; allow_uprobes in inventory.img; nr_pages in pagemap-*.img; the options given",
  why:
    "Kernels from 6.13 on have one more mapping beside the vDSO, and CRIU before 4.1 takes that for an error at every start. " +
    "Images of a newer CRIU can hold what an older one does not know: since 4.2 the number of pages is in a field of its own, and to an older CRIU there are none. recriu knows CRIU 3.17 to 4.3.",
  proof: "criu",
  otherCriu: true,
  run({ criu, host, checkpoint, request }) {
    if (criu?.version === undefined) return [];
    const { version } = criu;
    const shared = { subject: criu.path } as const;
    const upgrade = (least: string) =>
      ({
        kind: "human",
        text: `install CRIU ${least} or later, or name one by --criu=PATH`,
        command: sh`criu --version`,
      }) as const;
    if (
      criuHas(knownFault("vvar-vclock"), version) &&
      (host.read("/proc/self/maps") ?? "").includes("[vvar_vclock]")
    ) {
      const refusal = criu.startRefusal();
      if (refusal.kind !== "none") {
        const isSeen = refusal.kind === "refused";
        return [
          {
            ...shared,
            severity: isSeen ? "blocker" : "warning",
            image: "",
            message: isSeen
              ? `CRIU ${version} cannot start on kernel ${host.kernel}: it does not know the [vvar_vclock] mapping`
              : `CRIU ${version} may not start on kernel ${host.kernel}, which has a [vvar_vclock] mapping; asked, it gave no answer in ten seconds`,
            criu_message: isSeen ? refusal.line : null,
            remedy: upgrade(since.vvarVclock),
          },
        ];
      }
    }
    const unknown = [...request.explicit].find((name) => {
      const first = byName(name)?.since;
      return first !== undefined && compareVersions(version, first) < 0;
    });
    if (unknown !== undefined)
      return [
        {
          ...shared,
          severity: "blocker",
          image: "",
          message: `CRIU ${version} does not know the option --${unknown}`,
          criu_message: `unrecognized option '--${unknown}'`,
          remedy: upgrade(byName(unknown)!.since!),
        },
      ];
    const counted = knows(version, "pagesCounted", true)
      ? undefined
      : checkpoint.tasks.find(({ pid }) => countsAnew(checkpoint, pid));
    if (counted !== undefined) {
      return [
        {
          ...shared,
          severity: "blocker",
          image: `pagemap-${counted.pid}.img`,
          message: `the images are of CRIU 4.2 or later: CRIU ${version} finds no page in them`,
          criu_message: "vdso: ELF header magic mismatch",
          remedy: upgrade(since.pagesCounted),
        },
      ];
    }
    if (checkpoint.inventory?.allow_uprobes && !knows(version, "uprobes", true)) {
      return [
        {
          ...shared,
          severity: "warning",
          image: "inventory.img",
          message: `the tree was dumped with --allow-uprobes, which CRIU ${version} does not know`,
          remedy: upgrade(since.uprobes),
        },
      ];
    }
    if (knows(version, "oldestKnown", true)) return [];
    return [
      {
        ...shared,
        severity: "warning",
        image: "",
        message: `CRIU ${version} is older than any that recriu is tested with`,
        remedy: upgrade(since.oldestKnown),
      },
    ];
  },
};
