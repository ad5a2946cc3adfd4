/** Memory that is not where the images say: incremental chains, lazy dumps, page maps that fit no mapping. */
import { criuHas, knownFault } from "../../src/criu/known-faults.ts";
import { sameWords } from "./report.ts";
import { restoreBare, type Stage } from "./stage.ts";
import { expect } from "bun:test";

export const incomplete = { exit: 6 };

/** Bare CRIU, of this version, does not get over pages that end early: it spins without a word, or says what recriu quoted. */
export async function endsIn(
  stage: Stage,
  images: string,
  version: string,
  quoted: string | null,
): Promise<void> {
  const spins = criuHas(knownFault("pages-spin"), version);
  const bare = await restoreBare(stage, images, spins ? ["-v0"] : [], {
    timeout: spins ? 2000 : 30_000,
  });
  expect(bare.exit).toBe(spins ? null : 1);
  if (spins) expect(quoted).toBeNull();
  else expect(bare.log.split("\n").filter((line) => sameWords(line, quoted!))).not.toEqual([]);
}
