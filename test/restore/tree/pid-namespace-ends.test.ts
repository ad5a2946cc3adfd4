import { startDumped } from "../stage/dumped.ts";
import { innermostPid } from "../../../src/host/processes.ts";
import { blockers } from "../report.ts";
import { descendants, openStage } from "../stage.ts";
import { typedAndStays } from "../typed.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";

test("pid-namespace-ends: with -d the init of a pid namespace takes the tree with it", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const asInit = ["unshare", "--pid", "--fork", "--mount-proc"];
  const told = await reportUnder(stage, asInit, "preflight", images, ["-d"]);
  expect(blockers(told)).toEqual(["pid-namespace-ends"]);
  // CRIU says that all is well, and nothing is left.
  expect((await bareUnder(stage, asInit, images)).exit).toBe(0);
  expect(descendants(stage.supervisor.pid)).toEqual([]);
  expect((await reportUnder(stage, asInit, "preflight", images, [])).findings).toEqual([]);
  // Its number on this machine is another one.
  const inside = () =>
    descendants(stage.supervisor.pid).find(({ pid: of }) => innermostPid(of) === pid);
  await typedAndStays(stage, told, "pid-namespace-ends", () => inside()?.pid);
});
