/** How a check is proven on real CRIU: named beforehand, CRIU fails with the message, the remedy makes the restore pass. */
import { expect } from "bun:test";
import { predicted, restored } from "./predicted.ts";
import { blockers, type Finding, report } from "./report.ts";
import { killTree, type Stage } from "./stage.ts";
import { typed } from "./typed.ts";

export interface Case {
  id: string;
  images: string;
  /** The root task of the images, to be killed when its restore has been seen. */
  pid: number;
  options?: string[];
  /** What the finding is about. */
  subject: string;
  /** Mends the fault by hand, or the finding's command does, typed as it is shown, */
  mend?: (() => void | Promise<void>) | "typed";
  /** or these options do. */
  remedy?: string[];
}

/** Returns the finding, which is the only one that blocks. The tree is not left running. */
export async function foretold(stage: Stage, given: Case): Promise<Finding> {
  const { id, images, pid, options = [], subject, mend, remedy = [] } = given;
  expect([...new Set(blockers(await report(stage, "preflight", images, options)))]).toEqual([id]);
  const named = await predicted(stage, images, id, options);
  expect(named.subject).toBe(subject);
  if (mend === "typed") {
    const told = await report(stage, "preflight", images, options);
    expect(await typed(stage, told, id, { options, subject })).toMatchObject({ exit: 0 });
    // An option's command is a restore itself.
    if (named.remedy.kind === "option") await killTree(stage, pid);
  } else await mend?.();
  if (mend !== "typed" || named.remedy.kind !== "option")
    await restored(stage, images, [...options, ...remedy]);
  await killTree(stage, pid);
  return named;
}
