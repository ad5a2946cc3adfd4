/** What namespaces of the tree's own cost: the same restore by recriu without and with them, by turns. */
import { recriuBinary, type Stage } from "../../test/restore/stage.ts";
import type { Case } from "./cases.ts";
import { clear, type Spread, spread, timed } from "./measure.ts";

export interface IsolatedRow {
  name: string;
  without: Spread;
  with: Spread;
  /** Milliseconds, of the turns. */
  more: Spread;
}

export async function measureIsolated(
  stage: Stage,
  { name, images, options }: Case,
  runs: number,
): Promise<IsolatedRow> {
  const work = ["-W", stage.dir, "-o", "restore.log", "-v0"];
  const words = [recriuBinary, "restore", "-d", "-D", images, ...work, ...options];
  const restore = async (more: string[]) => {
    const { ms } = await timed(stage, [...words, ...more]);
    await clear(stage);
    return ms;
  };
  const turns: [number, number][] = [];
  // The first turn fills what is kept for the next ones.
  for (let i = -1; i < runs; i++) {
    const turn: [number, number] = [await restore([]), await restore(["--isolate=pid,mount"])];
    if (i >= 0) turns.push(turn);
  }
  return {
    name,
    without: spread(turns.map(([without]) => without)),
    with: spread(turns.map(([, apart]) => apart)),
    more: spread(turns.map(([without, apart]) => apart - without)),
  };
}
