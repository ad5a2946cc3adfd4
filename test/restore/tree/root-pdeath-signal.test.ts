import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { openStage, processOf, restoreBare, waitFor } from "../stage.ts";
import { SIGWINCH } from "./deaths.ts";
import { expect, test } from "bun:test";

const SIGKILL = 9;

test("the root asked for SIGKILL at its parent's death, and a detached CRIU ends", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "relations", ["pdeath", `${SIGKILL}`]);
  const preflight = await report(stage, "preflight", images, ["-d"]);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "root-pdeath-signal")).toMatchObject({
    severity: "blocker",
    task: pid,
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(0);
  await waitFor("the root to be dead", () => processOf(pid) === null);
  // Where CRIU stays its parent, it lives.
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
});

test("another signal than SIGKILL may be handled: a warning", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "relations", ["pdeath", `${SIGWINCH}`]);
  const restored = await report(stage, "restore", images);
  expect(finding(restored, "root-pdeath-signal").severity).toBe("warning");
  expect(restored.exit).toBe(0);
  expect(processOf(pid)).not.toBeNull();
});
