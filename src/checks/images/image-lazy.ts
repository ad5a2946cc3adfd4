import { PE_LAZY, PE_PRESENT, type Run } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import { again, imagesLater } from "../again.ts";
import type { Check } from "../finding.ts";
import { taskOf } from "./faults.ts";

const isLazyOnly = ({ flags }: Run) => (flags & (PE_LAZY | PE_PRESENT)) === PE_LAZY;

export const imageLazy: Check = {
  title: "Memory was left behind to be fetched later",
  reads: "pagemap-*.img; --lazy-pages",
  why:
    "A dump with --lazy-pages keeps most memory at its source, for `criu lazy-pages` to fetch while the restored tree runs. " +
    "Restored without that, the missing pages are read from where others are: memory is wrong, or CRIU spins at the end of the file (from 4.3 on it fails there). Nothing is printed.",
  proof: "harm",
  run(context) {
    const { checkpoint, request } = context;
    const lazy = [...checkpoint.pagemaps].filter(([, sum]) => sum.lazy);
    if (request.lazyPages)
      return lazy.slice(0, 1).map(([pagemap]) => ({
        severity: "info",
        image: pagemap,
        subject: pagemap,
        message:
          "memory that is not in the images can be fetched once: when this restore fails or is refused, the dump that has it may end with the connection",
        remedy: {
          kind: "human",
          text: "for a checkpoint that can be restored again, dump without --lazy-pages",
        },
      }));
    return lazy.map(([pagemap]) => {
      const pages = checkpoint
        .runs(pagemap)
        .filter(isLazyOnly)
        .reduce((sum, run) => sum + run.pages, 0);
      return {
        severity: "blocker",
        task: taskOf(pagemap),
        image: pagemap,
        subject: pagemap,
        message: `${pages} pages of ${pagemap} are not in the images: they stayed with the dump that was made with --lazy-pages`,
        remedy: {
          kind: "human",
          text: "while the dump still waits at HOST and PORT: start `criu lazy-pages` towards its page server, then restore with --lazy-pages; once it has ended, dump again without --lazy-pages",
          command: sh`criu lazy-pages -d --page-server --address HOST --port PORT -D ${imagesLater(context)} -W ${request.workDir} && recriu restore ${again(context)} --lazy-pages`,
        },
      };
    });
  },
};
