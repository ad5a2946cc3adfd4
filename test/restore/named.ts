/** What each case of a check shows: recriu names it, bare CRIU fails as quoted, and without the fault there is no finding. */
import { expect } from "bun:test";
import { blockers, explained, type Finding, finding, sameWords } from "./report.ts";
import type { Stage } from "./stage.ts";
import { bareUnder, reportUnder, type Under } from "./under.ts";

export interface How {
  /** A command that both are run under. */
  under?: Under;
  options?: string[];
  /** Exit code of the preflight; 3 says blocked, 6 that the images are not whole. */
  exit?: number;
}

/** recriu names this check alone as a blocker, and bare CRIU fails with the words that it quotes. */
export async function foretold(
  stage: Stage,
  images: string,
  id: string,
  { under = [], options = [], exit = 3 }: How = {},
): Promise<Finding> {
  const preflight = await reportUnder(stage, under, "preflight", images, options);
  expect([...new Set(blockers(preflight))]).toEqual([id]);
  expect(preflight.exit).toBe(exit);
  const bare = await bareUnder(stage, under, images, ["-d", ...options]);
  expect(bare.exit).toBe(1);
  const { criu_message } = finding(preflight, id);
  const said = `${bare.log}\n${bare.stdout}\n${bare.stderr}`.split("\n");
  expect(said.filter((line) => sameWords(line, criu_message!))).not.toEqual([]);
  explained(finding(preflight, id));
  return finding(preflight, id);
}

/** With nothing against it the images restore: no finding, and the tree is verified. */
export async function restores(
  stage: Stage,
  images: string,
  { under = [], options = [] }: How = {},
): Promise<void> {
  const done = await reportUnder(stage, under, "restore", images, ["-d", ...options]);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
}
