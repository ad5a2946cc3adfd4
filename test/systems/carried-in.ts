/** What the other systems have left, restored here: as images, and packed; what came of it is a row of docs/systems.md. */
import { report, type Report } from "../restore/report.ts";
import { killTree, openStage, run } from "../restore/stage.ts";
import { carried, own } from "./left.ts";
import { expect, test } from "bun:test";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
      const images = join(stage.dir, what);
      cpSync(join(carried, from, what), images, { recursive: true });
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
      const pid = done.run?.pid;
      if (pid && what.startsWith("alone")) {
        // What an old CRIU has left out cannot be known: it is 1 then, and that was said.
        const lost = done.findings.some(({ id }) => id === "sched-priority-lost");
        const { stdout } = await run(stage, ["chrt", "-p", `${pid}`]);
        expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK");
        expect(stdout).toContain(`priority: ${lost ? 1 : 42}`);
      }
      if (pid) await killTree(stage, pid);
      rmSync(`/tmp/said-${from}`, { force: true });
      // Restored as it was, or refused before anything was done: nothing between.
      if (done.exit !== 0) expect([done.exit, done.stderr]).toEqual([3, expect.any(String)]);
      else expect(verdict).toBe("match");
    });
