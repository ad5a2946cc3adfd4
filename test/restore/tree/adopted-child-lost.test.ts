import { finding, report } from "../report.ts";
import { descendants, dump, killTree, openStage, processOf, restoreBare, start } from "../stage.ts";
import { takes } from "./pids.ts";
import { expect, test } from "bun:test";

test("a helper's number: one that CRIU picks from a gap of the images", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["lost-parent"]);
  const [leader, orphan] = descendants(pid).map((task) => task.pid);
  const images = await dump(stage, pid);
  // The helper's end gives the orphan to a subreaper, which the root is not yet again.
  expect(finding(await report(stage, "preflight", images), "adopted-child-lost")).toMatchObject({
    severity: "warning",
    task: orphan,
  });
  const restored = await restoreBare(stage, images);
  expect(restored.exit).toBe(0);
  expect(processOf(leader!)?.ppid).toBe(pid);
  expect(processOf(orphan!)?.ppid).not.toBe(pid);
  await killTree(stage, orphan!);
  await killTree(stage, pid);

  const tolerated = await report(stage, "restore", images);
  expect(tolerated).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(tolerated.verdict!.differences).toMatchObject([
    { facet: "tasks", task: orphan, expected: `parent: ${pid}`, class: "tolerated" },
  ]);
  const picked = /Add a helper (\d+) for restoring SID/.exec(restored.log)![1]!;
  await killTree(stage, orphan!);
  await killTree(stage, pid);
  const taker = await takes(stage, Number(picked));
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").subject).toBe(picked);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  await killTree(stage, taker.pid);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});
