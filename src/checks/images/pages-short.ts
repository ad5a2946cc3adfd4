import { criuHas, knownFault } from "../../criu/known-faults.ts";
import type { Check, Problem } from "../finding.ts";
import { consumedPages } from "./consumed.ts";
import { taskOf } from "./faults.ts";

export const pagesShort: Check = {
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
      .map((use): Problem => ({
        severity: "blocker",
        task: taskOf(use.pagemaps[0] ?? ""),
        image: use.file,
        subject: use.file,
        message: `${use.file} holds ${use.actual} bytes of the ${use.expected} that ${use.pagemaps.join(", ")} need${spins ? "; CRIU would spin for ever" : ""}`,
        criu_message: spins ? null : "Unexpected EOF reading pages data at offset",
        remedy: {
          kind: "human",
          text: `copy ${use.file} again from where the checkpoint was made`,
        },
      }));
    return [...consumedPages(context), ...short];
  },
};
