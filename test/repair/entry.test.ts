/** An entry that somebody else makes in the moment in which recriu would have. */
import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeEntry, unmakeEntry } from "../../src/repair/entry.ts";
import type { Step } from "../../src/repair/step.ts";
import { EEXIST } from "../../src/sys/errno.ts";

test("a file that looks as if recriu had just begun it, and is another's, is not taken back", () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-entry-")));
  const path = join(base, "fifo");
  const steps: Step[] = [];
  const repair = { action: "fifo", root: "/", path, mode: 0o600, uid: 0, gid: 0 } as const;
  const theirs = () => {
    writeFileSync(path, "", { mode: 0o600 });
    return -EEXIST;
  };
  try {
    const problem = makeEntry(repair, (step) => void steps.push(step), { create: theirs });
    expect(problem).toContain("somebody else has made it meanwhile");
    expect(unmakeEntry(steps.at(-1)!)).toBeUndefined();
    expect(existsSync(path)).toBe(true);
  } finally {
    rmSync(base, { recursive: true });
  }
});
