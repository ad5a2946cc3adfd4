/** The images themselves: what CRIU must be able to read before it can restore anything. */
import { criuHas, knownFault } from "../criu/known-faults.ts";
import type { Fault } from "../image/index.ts";
import { consumedPages } from "./consumed.ts";
import type { Check, Context, Finding } from "./finding.ts";

function findingsOf(context: Context, id: string, kinds: readonly Fault["kind"][]): Finding[] {
  // With --stream the images come through sockets of criu-image-streamer: there are no files.
  if (context.request.stream) return [];
  return context.checkpoint
    .readEverything()
    .filter((fault) => kinds.includes(fault.kind))
    .map((fault) => ({
      id,
      severity: fault.kind === "absent" ? "warning" : "blocker",
      task: taskOf(fault.file),
      image: fault.offset === undefined ? fault.file : `${fault.file} at byte ${fault.offset}`,
      subject: fault.file,
      message: `${fault.file}: ${fault.problem}`,
      criu_message: fault.criu_message,
      remedy: {
        kind: "human",
        text: "copy the checkpoint again from where it was made and compare sizes; what an image lacks cannot be made up",
        command: null,
      },
    }));
}

/** core-12.img, mm-12.img … belong to task 12. */
export function taskOf(file: string): number | null {
  const match = /^(?:core|mm|pagemap|fs|ids)-(\d+)\.img$/.exec(file);
  return match === null ? null : Number(match[1]);
}

export const imageMissing: Check = {
  id: "image-missing",
  title: "An image that the restore needs is not there",
  reads:
    "the listing of the images directory; pstree.img, core-*.img and pagemap-*.img say which files belong to it",
  why: "CRIU treats a missing image as an empty one and finds out in the middle of the restore, when it may already have made tasks. A task without descriptors has no fdinfo image: that one is only missed where files.img holds what no descriptor, mapping or directory is.",
  proof: "criu",
  run: (context) => findingsOf(context, "image-missing", ["missing", "absent"]),
};

export const imageTruncated: Check = {
  id: "image-truncated",
  title: "An image ends early or does not hold what its name says",
  reads: "the framing, magic numbers and messages of every image but page data",
  why: "An interrupted copy or a full disk leaves images short. CRIU stops at the first entry that it cannot read.",
  proof: "criu",
  run: (context) =>
    findingsOf(context, "image-truncated", ["truncated", "magic", "malformed", "unreadable"]),
};

export const pagesShort: Check = {
  id: "pages-short",
  title: "A pages image does not hold the memory that it should",
  reads:
    "pagemap-*.img against the size of pages-*.img; of a file with holes the pages that no program has zero: vdso, thread pointers, stacks, the program's own data",
  why:
    "CRIU before 4.3 reads at the end of the file, gets nothing, and asks again for ever: it spins, ignores SIGTERM and prints no error. Later ones end with one. " +
    "A restore with --auto-dedup takes out what it reads and leaves holes, which read as zeros: the next one makes tasks of zeros, or fails at the vdso. " +
    "Holes alone are no fault: pages of zeros become holes where a file is copied with them (cp --sparse, tar -S), and on some file systems.",
  proof: "harm",
  run: (context) => {
    const spins = criuHas(knownFault("pages-spin"), context.criu?.version);
    const short = context.checkpoint
      .pages()
      .filter((use) => use.actual !== undefined && use.actual < use.expected)
      .map((use): Finding => ({
        id: "pages-short",
        severity: "blocker",
        task: taskOf(use.pagemaps[0] ?? ""),
        image: use.file,
        subject: use.file,
        message: `${use.file} holds ${use.actual} bytes of the ${use.expected} that ${use.pagemaps.join(", ")} need${spins ? "; CRIU would spin for ever" : ""}`,
        criu_message: spins ? null : "Unexpected EOF reading pages data at offset",
        remedy: {
          kind: "human",
          text: `copy ${use.file} again from where the checkpoint was made`,
          command: null,
        },
      }));
    return [...consumedPages(context), ...short];
  },
};
