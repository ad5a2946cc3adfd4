/** Timer slack, which CRIU saves from 4.3 on: restored by it, by recriu where the CRIU is older, and verified. */
import { dumpBy, forky, newest } from "./criu.ts";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { killTree, openStage, start } from "./stage.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";

const slack = (pid: number): string => readFileSync(`/proc/${pid}/timerslack_ns`, "utf8").trim();

test("a thread's timer slack comes back, whichever CRIU restores it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  writeFileSync(`/proc/${pid}/timerslack_ns`, "123456");
  const images = await dumpBy(stage, newest, pid);
  for (const [by, mended] of [
    [newest, []],
    [forky, [expect.objectContaining({ facet: "scheduling", class: "mended" })]],
  ] as const) {
    const done = await report(stage, "restore", images, ["--criu", by]);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match", differences: mended } });
    expect(slack(pid)).toBe("123456");
    await killTree(stage, pid);
  }
  // What no CRIU and no kernel gives is seen.
  edit(images, `core-${pid}.img`, ([core]) => (core.thread_core.timerslack_ns = 1n << 63n));
  const done = await report(stage, "restore", images, ["--criu", forky]);
  expect(done.verdict?.differences).not.toEqual([]);
});
