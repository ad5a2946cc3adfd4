/**
 * What a restore consumes. --auto-dedup, which destroys the images, is not given to CRIU: what it asks for is done when
 * the tree runs, and only then. What comes from elsewhere comes once.
 */
import type { Request } from "../criu/index.ts";
import { type Checkpoint, dedupOf, punch } from "../image/index.ts";
import type { Verdict } from "../verify/index.ts";

/** Look at the images before CRIU does. What is returned is called once, when the tree runs; it returns in words what was not done. */
export function dedupLater(
  checkpoint: Checkpoint,
  { autoDedup, stream, lazyPages }: Request,
): (verdict: Verdict) => string[] {
  // CRIU itself takes nothing out of a stream.
  if (!autoDedup || stream) return () => [];
  const dedup = dedupOf(checkpoint, lazyPages);
  return ({ result }) => {
    if (result === "mismatch")
      return ["the images keep all that they hold (--auto-dedup): the tree is not the saved one"];
    try {
      return punch(dedup, checkpoint.dir);
    } catch (error) {
      return [`--auto-dedup came to no end: ${(error as Error).message}`];
    }
  };
}

/** What a restore that failed has used up, in words. */
export function usedUp({ stream, lazyPages }: Request): string[] {
  return [
    ...(stream
      ? ["the stream: criu-image-streamer gives its images away once, and has to be fed again"]
      : []),
    ...(lazyPages
      ? [
          "the memory of --lazy-pages: `criu lazy-pages` ends with a restore, and the dump that it fetches from may have ended with it",
        ]
      : []),
  ];
}
