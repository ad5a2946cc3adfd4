import { lost } from "../criu.ts";
import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { alive, descendants, killTree, openStage, restoreBare, waitFor } from "../stage.ts";
import { typed } from "../typed.ts";
import { takes } from "./pids.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("already-running: what holds the numbers is this tree, and nobody is told to end it", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid, images } = await startDumped(
    stage,
    "x11-server",
    [sockets, join(stage.dir, "progress")],
    { dump: ["--leave-running"] },
  );
  const running = await report(stage, "preflight", images);
  expect(running.exit).toBe(3);
  expect(blockers(running)).toEqual(["already-running", ...lost]);
  expect(JSON.stringify(running.findings)).not.toMatch(/kill|\bend\b|stop process/);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(running, "already-running").criu_message!);
  expect((await typed(stage, running, "already-running")).exit).toBe(0);
  // Neither does a check that was asked for alone take it for a stranger's.
  for (const only of ["pid-in-use", "unix-socket-busy"])
    expect(blockers(await report(stage, "preflight", images, [`--only=${only}`]))).toEqual([
      "already-running",
    ]);

  // A part of it is not it, and neither is a stranger under its number.
  const [child] = descendants(pid).map((task) => task.pid);
  process.kill(child!, "SIGKILL");
  await waitFor("a zombie", () => !alive(child!));
  expect(blockers(await report(stage, "preflight", images))).toContain("pid-in-use");
  await killTree(stage, pid);
  const taker = await takes(stage, pid);
  const taken = await report(stage, "preflight", images);
  expect(blockers(taken)).toEqual(["pid-in-use", ...lost]);
  await killTree(stage, taker.pid);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(blockers(await report(stage, "preflight", images))).toEqual(["already-running", ...lost]);
});
