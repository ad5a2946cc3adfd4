import { criuHas, knownFault } from "../../criu/known-faults.ts";
import type { LostPages } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { taskOf } from "./faults.ts";
import { address } from "./image-vmas.ts";

/** What CRIU says of lost pages. Where it says nothing it reads at the end of a file for ever (`spins`), or takes other pages. */
function criuSaysOf(
  { kind, parent, page, problem, pagemap }: LostPages,
  pageSize: number,
  spins: boolean,
): string | null {
  if (kind === "unopened")
    return problem === "there is no such directory"
      ? "Can't open parent path: No such file or directory"
      : null;
  if (kind === "gone" && !pagemap.includes("shmem")) return "Can't read async pr bytes";
  if (kind === "page") return `Missing ${address(page, pageSize)} in parent pagemap`;
  if (kind === "none" && parent !== "parent") return "No parent for snapshot pagemap";
  if (spins) return null;
  return kind === "none"
    ? `Pagemap range ${address(page, pageSize)}`
    : kind === "short"
      ? "Unexpected EOF reading pages: expected"
      : null;
}

export const imageParent: Check = {
  title: "The older checkpoint that an incremental one builds on is not whole",
  reads:
    "the link `parent` in the images directory and those behind it; pagemap-*.img of each, and the size of its pages-*.img",
  why:
    "An incremental dump holds only what changed; the rest is in the checkpoint that its link `parent` leads to. The link is relative: " +
    "a checkpoint that is moved or copied without its parents has lost that memory. Without any parent CRIU before 4.3 prints nothing: it spins for ever " +
    "or fills memory with other pages.",
  proof: "criu",
  run: ({ checkpoint, request, criu }) =>
    request.stream
      ? []
      : checkpoint.lostPages(request.lazyPages).map((lost) => ({
          severity: "blocker",
          task: taskOf(lost.pagemap),
          image: lost.pagemap,
          subject: lost.parent,
          message: `${lost.pagemap} has memory in the older checkpoint ${lost.parent}, which cannot give it: ${lost.problem}`,
          criu_message: criuSaysOf(
            lost,
            checkpoint.pageSize,
            criuHas(knownFault("pages-spin"), criu?.version),
          ),
          remedy: {
            kind: "human",
            text: "put the older checkpoint back to where the link leads, or make the link lead to it",
            command:
              lost.kind === "unopened" || (lost.kind === "none" && lost.parent === "parent")
                ? sh`ln -sfn /PATH/OF/THE/OLDER/CHECKPOINT ${checkpoint.dir}/${lost.parent}`
                : null,
          },
        })),
};
