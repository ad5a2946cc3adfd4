/** How a check is proven on real CRIU: named beforehand, CRIU fails with the message, the remedy makes the restore pass. */
import { expect } from "bun:test";
import { blockers, explained, type Finding, finding, report, sameWords } from "./report.ts";
import { killTree, restoreBare, type Stage } from "./stage.ts";

export interface Case {
  id: string;
  images: string;
  /** The root task of the images, to be killed when its restore has been seen. */
  pid: number;
  options?: string[];
  /** What the finding is about. */
  subject: string;
  /** Mends the fault by hand, */
  mend?: () => void | Promise<void>;
  /** or these options do. */
  remedy?: string[];
}

/** Returns the finding. The tree is not left running. */
export async function foretold(stage: Stage, given: Case): Promise<Finding> {
  const { id, images, pid, options = [], subject, mend, remedy = [] } = given;
  const preflight = await report(stage, "preflight", images, options);
  expect([...new Set(blockers(preflight))]).toEqual([id]);
  const named = finding(preflight, id);
  expect(named.subject).toBe(subject);

  const bare = await restoreBare(stage, images, options);
  expect(bare.exit).toBe(1);
  expect(bare.errors.filter((line) => sameWords(line, named.criu_message!))).not.toEqual([]);

  explained(named);

  await mend?.();
  const restored = await report(stage, "restore", images, [...options, ...remedy]);
  expect(blockers(restored)).toEqual([]);
  expect([restored.exit, restored.verdict?.result]).toEqual([0, "match"]);
  await killTree(stage, pid);
  return named;
}
