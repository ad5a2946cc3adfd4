/** Terminals whose numbers somebody else has, in a devpts of their own. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { blockers, finding, report } from "../report.ts";
import { dump, openStage, restoreBare, running, start, waitFor } from "../stage.ts";
import { indices } from "../tree/ttys.ts";

for (const mode of ["pair", "hung-up"])
  for (const option of ["--isolate=pty", "--isolate"])
    test(`${mode}, ${option}`, async () => {
      await using stage = openStage();
      const { pid } = await start(stage, "terminal", [mode]);
      const [index] = indices(pid);
      const images = await dump(stage, pid);
      await start(stage, "terminal", ["pairs", `${index! + 1}`]);
      const bare = await restoreBare(stage, images);
      expect(bare.exit).toBe(1);
      const blocked = await report(stage, "preflight", images);
      expect(blockers(blocked)).toEqual(["tty-index-busy"]);
      expect(finding(blocked, "tty-index-busy").isolate).toBe("pty");
      expect(blocked.plan.would_restore?.isolate).toEqual(["pty"]);
      const done = await report(stage, "restore", images, [option]);
      expect([done.exit, done.plan.isolate]).toEqual([0, ["pid", "mount", "pty"]]);
      expect(done.verdict?.result).toBe("match");
      const root = done.run!.pid!;
      const inside = readdirSync(`/proc/${root}/root/dev/pts`).filter((name) => name !== "ptmx");
      expect(inside).toEqual(mode === "pair" ? [`${index}`] : []);
      process.kill(root, "SIGKILL");
      await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
    });

test("a number that is too far above 0 is no better off", async () => {
  await using stage = openStage();
  await start(stage, "terminal", ["pairs", "40"]);
  const { pid } = await start(stage, "terminal", ["pair"]);
  const [index] = indices(pid);
  expect(index).toBeGreaterThan(31);
  const images = await dump(stage, pid);
  await start(stage, "terminal", ["pairs", `${index! - 39}`]);
  const blocked = await report(stage, "preflight", images);
  expect(finding(blocked, "tty-index-busy").isolate).toBe(null);
  expect(blocked.plan.would_restore).toBe(null);
});
