/** --auto-dedup: what of the images goes, and whether it can (pagemap.c, open_page_read_at). */
import { dedupOf } from "../../image/index.ts";
import type { Check } from "../finding.ts";
import { mib } from "../kernel/limits.ts";

export const autoDedup: Check = {
  title: "--auto-dedup takes memory out of the images, or cannot write to them",
  reads:
    "--auto-dedup; pagemap-*.img, and owner, links and writability of the pages-*.img that they lead to",
  why:
    "With --auto-dedup CRIU takes memory out of the images while it reads them. A tree that is refused afterwards, by CRIU or by " +
    "recriu, would be gone for ever; so recriu withholds the option from CRIU, and takes the memory out when the tree runs. CRIU opens " +
    "the files for that before it restores, and fails where it cannot write to them. In a directory that other users can write to, the " +
    "name of an image can lead to any file of the machine, and that file would lose its content.",
  proof: "criu",
  answers: ["choice", "person"],
  run({ checkpoint, request }) {
    if (!request.autoDedup || request.stream) return [];
    const { bytes, problems } = dedupOf(checkpoint, request.lazyPages);
    const shared = {} as const;
    if (problems.length > 0)
      return problems.map(({ path, problem, criu }) => ({
        ...shared,
        severity: "blocker",
        image: path.slice(path.lastIndexOf("/") + 1),
        subject: path,
        message: `${path} cannot lose what --auto-dedup takes out of it: ${problem}`,
        criu_message: criu,
        remedy: {
          kind: "option",
          text: "leave the images as they are",
          option: "--no-auto-dedup",
          automatic: false,
        },
      }));
    return [
      {
        ...shared,
        severity: "info",
        image: "pages-*.img",
        subject: mib(bytes),
        message: `recriu takes ${mib(bytes)} out of the images (--auto-dedup) when the tree runs: they cannot be restored again then`,
        remedy: {
          kind: "human",
          text: "to restore again, keep a copy, or leave --auto-dedup out",
        },
      },
    ];
  },
};
