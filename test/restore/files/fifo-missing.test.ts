import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { constants, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

test("fifo-missing", async () => {
  await using stage = openStage();
  const fifo = join(stage.dir, "fifo");
  const { pid, images } = await startDumped(stage, "objects", ["fifo", fifo]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  rmSync(fifo);
  const preflight = await report(stage, "preflight", images);
  const { command } = finding(preflight, "fifo-missing").remedy;
  expect(command).toBe(`mkfifo -m 0640 ${fifo}`);
  const untrusted = await report(stage, "preflight", images, ["--untrusted"]);
  expect(finding(untrusted, "fifo-missing").remedy.kind).toBe("human");
  // recriu makes it itself, and takes it back when the restore fails.
  const failing = ["--action-script", "/bin/false"];
  expect((await report(stage, "restore", images, failing)).exit).toBe(1);
  expect(existsSync(fifo)).toBe(false);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const { mode, uid } = statSync(fifo);
  expect([mode, uid]).toEqual([constants.S_IFIFO | 0o640, 0]);
  await killTree(stage, pid);
  rmSync(fifo);
  await stageCheck({ id: "fifo-missing", stage, images, pid, subject: fifo, mend: "typed" });
});
