/** What is asked of every blocker: recriu names it before, and bare CRIU fails as quoted. */
import { expect } from "bun:test";
import { blockers, explained, type Finding, finding, report, sameWords } from "./report.ts";
import { restoreBare, type RunOptions, type Stage } from "./stage.ts";

/** The finding, after both were seen. */
export async function predicted(
  stage: Stage,
  images: string,
  id: string,
  options: string[] = [],
  runOptions: RunOptions = {},
): Promise<Finding> {
  const preflight = await report(stage, "preflight", images, options, runOptions);
  expect(blockers(preflight)).toContain(id);
  expect([3, 4]).toContain(preflight.exit!);
  const named = finding(preflight, id);
  const bare = await restoreBare(stage, images, options, runOptions);
  expect(bare.exit).toBe(1);
  const { criu_message } = named;
  if (criu_message !== null)
    expect(bare.errors.filter((line) => sameWords(line, criu_message))).not.toEqual([]);
  explained(named);
  return named;
}

/** Nothing blocks, and recriu and so CRIU restore it: the new root task. */
export async function restored(
  stage: Stage,
  images: string,
  options: string[] = [],
  runOptions: RunOptions = {},
): Promise<number> {
  const done = await report(stage, "restore", images, options, runOptions);
  expect(blockers(done)).toEqual([]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  return done.run!.pid!;
}
