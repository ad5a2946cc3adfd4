/** Whether a dump went on behind an error, which then is not why it failed. */
import type { Log } from "./run.ts";

/** A dump takes one thing after the other: behind an error that ends it nothing more is saved. */
export const GOES_ON = 9;
/** What a line counts in which something is saved; any other counts one, and all of those no more than that: they prove little. */
const SAVED = 3;
const OTHERS = 6;
export const hasGoneOn = (progress: number): boolean => progress >= GOES_ON;
const dumps = /^\([\d.]+\)\s+(?:[\w -]{1,16}: \s*)?Dump(?:ing|ed)\b(?! FAILED| finished)/;
/** As a dump that has failed lets its tasks go. */
const letsGo =
  /^\([\d.]+\)\s+(?:net: )?(?:Unlock network|Unfreezing tasks|Unseizing|.*\bFAILED|Running (?:network-unlock|post-dump))/;

/** Of a restore that has all its tasks: what follows is only tidied up, as far as no error says otherwise. */
const restored = /^\(?[\d.]+\)\s+Running post-restore scripts\b/;

export function noteProgress(log: Log, text: string): void {
  if (restored.test(text)) {
    log.way ??= "restore";
    if (log.cause === undefined) log.progress = GOES_ON;
  }
  if (log.cause === undefined || log.progress < 0) return;
  if (letsGo.test(text)) log.progress = -1;
  else if (dumps.test(text)) log.progress += SAVED;
  else if (log.progress < OTHERS) log.progress += 1;
}
