/**
 * JavaScriptCore collects garbage when there is as much of it as there was of all else: by then a process is twice as large
 * as what it needs. Where a lot of work goes through, that is looked at in between.
 */

/** Bytes that the process may grow by before its garbage is collected; and milliseconds in which it cannot grow so much. */
const STEP = 16 << 20;
const INSTANT = 4;

/** Bytes of garbage for which it is worth to wait; and milliseconds in which the allocator gives free pages back to the kernel. */
const MUCH = 32 << 20;
const SCAVENGED = 150;

/** To be awaited between two large pieces of work: what the first had is given back before the second takes as much. */
export async function settled(since: number): Promise<void> {
  if (process.memoryUsage.rss() < since + MUCH) return;
  Bun.gc(true);
  await Bun.sleep(SCAVENGED);
}

/** To be called wherever nothing is in hand: costs nothing while little has been done since the last time. `step`: bytes, as STEP. */
export function tidying(step = STEP): () => void {
  let looked = performance.now();
  let size = process.memoryUsage.rss();
  return () => {
    if (performance.now() - looked < INSTANT) return;
    if (process.memoryUsage.rss() > size + step) {
      Bun.gc(true);
      size = process.memoryUsage.rss();
    }
    looked = performance.now();
  };
}
