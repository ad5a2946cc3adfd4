/** Images of a newer CRIU than the one that restores them. Fields that an older one does not know it skips; what stops it is here. */
import { compareVersions, isBeyondKnown, knows, since } from "../../criu/index.ts";
import { file_entry } from "../../image/tables/files.ts";
import type { Check, Problem } from "../finding.ts";

/** fd_types of files.img that came after 3.17, with the first CRIU that knows them; the highest that any known CRIU knows. */
const types: Readonly<Record<number, string>> = { 20: since.pidfds };

const HIGHEST = 20;

const names: Record<number, string> = { 20: "a pidfd" };

export const imageNewer: Check = {
  title: "The images are of a newer CRIU, and this one would misread them",
  reads: "types in files.img; nr_pages in pagemap-*.img; the version of CRIU",
  why:
    "CRIU skips fields of an image that are newer than it is, but not an open file of a kind that it does not know. And what it skips can be " +
    "all there is: CRIU 4.2 and later count the pages of memory in another field, so that an older one restores none of them and stops at the vdso. " +
    "Nothing can be left out: a newer CRIU has to restore it.",
  proof: "criu",
  run({ checkpoint, criu }) {
    const version = criu?.version;
    if (version === undefined) return [];
    const files = checkpoint.values("files.img", file_entry).flatMap(({ type, id }): Problem[] => {
      const first = types[type];
      const unknown =
        first === undefined
          ? type > HIGHEST && !isBeyondKnown(version)
          : compareVersions(version, first) < 0;
      if (!unknown) return [];
      return [
        {
          severity: "blocker",
          image: `files.img id 0x${id.toString(16)}`,
          subject: `file type ${type}`,
          message: `an open file is ${names[type] ?? `of type ${type}`}, which CRIU ${version} does not know`,
          criu_message: `Unknown file type ${type}`,
          remedy: {
            kind: "human",
            text: `restore with ${first === undefined ? "the CRIU that made the images" : `CRIU ${first} or later`} (--criu=PATH names it)`,
          },
        },
      ];
    });
    const wide = [...checkpoint.pagemaps].find(([, pagemap]) => pagemap.wide)?.[0];
    if (wide === undefined || knows(version, "widePagemaps", true)) return files;
    const memory: Problem = {
      severity: "blocker",
      image: wide,
      subject: "nr_pages",
      message: `CRIU ${since.widePagemaps} or later made the images, and CRIU ${version} would restore none of their memory: it looks for the number of pages elsewhere`,
      criu_message: "vdso: ELF header magic mismatch",
      remedy: {
        kind: "human",
        text: `restore with CRIU ${since.widePagemaps} or later (--criu=PATH names it)`,
      },
    };
    return [memory, ...files];
  },
};
