/** How a check of --untrusted is proven: bare CRIU does the harm, recriu names it and touches nothing, what allows it lets it pass. */
import { expect } from "bun:test";
import { blockers, type Finding, report } from "./report.ts";
import { killTree, restoreBare, type Stage } from "./stage.ts";

export interface Harm {
  id: string;
  images: string;
  /** The root task of the images. */
  pid: number;
  subject: string;
  /** Options of both restores. */
  options?: string[];
  /** Seen after the restore by bare CRIU. */
  done: (pid: number) => void | Promise<void>;
  /** Brings back what that restore changed. */
  again?: () => void;
  /** CRIU stops after the harm. */
  fails?: boolean;
  /** What recriu says of the tree that CRIU then restores. */
  verdict?: "match" | "mismatch";
  /** Blocks the same images without --untrusted, and is let through beside it. */
  also?: "image-forged" | "ghost-rights";
  /** Lets the tree through; else it is --ignore. */
  allow?: string[];
}

/** The finding, which was the only kind that blocked. Nothing of the tree is left. */
export async function refused(stage: Stage, harm: Harm): Promise<Finding> {
  const { id, images, pid, options = [], done, again, fails = false, also } = harm;
  const always: string[] = also === undefined ? [] : [also];
  const bare = await restoreBare(stage, images, options);
  expect([id, bare.exit, fails ? "" : bare.errors.at(-1)]).toEqual([
    id,
    fails ? 1 : 0,
    expect.anything(),
  ]);
  await done(pid);
  if (!fails) await killTree(stage, pid);
  again?.();

  const blocked = await report(stage, "restore", images, ["--untrusted", ...options]);
  expect([...new Set(blockers(blocked))]).toEqual([...always, id]);
  expect([blocked.exit, blocked.run]).toEqual([also === "image-forged" ? 6 : 3, null]);
  const named = blocked.findings.find((one) => one.id === id && one.subject === harm.subject);
  expect(blocked.findings.map(({ subject }) => subject)).toContain(harm.subject);
  // Without --untrusted nothing is said of that.
  expect(blockers(await report(stage, "preflight", images, options))).toEqual(always);

  const ignored = [...always, ...(harm.allow === undefined ? [id] : [])];
  const allow = [...(harm.allow ?? []), ...ignored.map((each) => `--ignore=${each}`)];
  const allowed = await report(stage, "restore", images, ["--untrusted", ...allow, ...options]);
  expect(blockers(allowed)).toEqual([]);
  if (fails) return named!;
  const { verdict = "match" } = harm;
  expect([allowed.exit, allowed.verdict?.result]).toEqual([verdict === "match" ? 0 : 5, verdict]);
  if (verdict === "match") await killTree(stage, pid);
  return named!;
}
