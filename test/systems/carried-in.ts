/** What the other systems have left, restored here: as images, and packed; what came of it is a row of docs/systems.md. */
import { report, type Report } from "../restore/report.ts";
import { openStage, killTree } from "../restore/stage.ts";
import { carried, own } from "./left.ts";
import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One cell: what recriu said beforehand, and what a restore came to. */
interface Cell {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly exit: number | null;
  readonly verdict: string;
  readonly findings: readonly string[];
}

const cells: Cell[] = [];

const said = ({ findings }: Report) =>
  findings.filter(({ severity }) => severity !== "info").map(({ id }) => id);

for (const from of readdirSync(carried))
  for (const what of readdirSync(join(carried, from)))
    test(`${what} of ${from}`, async () => {
      await using stage = openStage();
      const packed = what.endsWith(".pack");
      const images = join(carried, from, what);
      const done = await report(stage, "restore", images, packed ? ["--isolate=auto"] : []);
      const verdict = done.verdict?.result ?? "none";
      const cell = {
        from,
        to: own,
        what,
        exit: done.exit,
        verdict,
        findings: [...new Set(said(done))],
      };
      cells.push(cell);
      writeFileSync("/mnt/carried.json", JSON.stringify(cells));
      if (done.run?.pid) await killTree(stage, done.run.pid);
      // Restored as it was, or refused before anything was done: nothing between.
      if (done.exit !== 0) expect([done.exit, done.stderr]).toEqual([3, expect.any(String)]);
      else expect(verdict).toBe("match");
    });
