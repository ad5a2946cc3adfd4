import { copyOf } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { dumpJob } from "../sessions.ts";
import {
  descendants,
  dump,
  killTree,
  openStage,
  restoreBare,
  type Stage,
  start,
} from "../stage.ts";
import { expect, test } from "bun:test";

/** Bare CRIU waits for ever, or, by the chance of an address, fails. */
async function standsStill(stage: Stage, images: string, options: string[] = []): Promise<void> {
  const { exit, log } = await restoreBare(stage, images, options, { timeout: 3000 });
  if (exit !== null)
    expect([exit, log]).toEqual([1, expect.stringContaining("Can't restore pgid")]);
}

test("group-leader-lost: a leader that is in another group never lets its members go on", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["moved"]);
  const [, member] = descendants(pid);
  const images = await dump(stage, pid);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "group-leader-lost")).toMatchObject({
    severity: "blocker",
    task: member!.pid,
  });
  await standsStill(stage, images);
  // Once the group that its leader has left is empty, no task waits.
  const back = copyOf(stage, images, "back");
  edit(back, "pstree.img", (entries) => void (entries[2].pgid = entries[1].pgid));
  expect((await report(stage, "restore", back)).exit).toBe(0);
});

test("group-leader-lost: what a job alone waits for is nothing that --shell-job mends", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage, "moved");
  const preflight = await report(stage, "preflight", images, ["-j"]);
  expect(blockers(preflight)).toEqual(["group-leader-lost"]);
  await standsStill(stage, images, ["-j"]);
  await killTree(stage, job);
});
