import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";

test("proc-thread-file: a thread's file in /proc is opened before the thread is made", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "objects", ["thread"]);
  const [tid] = (await report(stage, "preflight", images)).findings.map(
    ({ subject }) => /\d+\/comm/.exec(subject)?.[0],
  );
  const path = `/proc/${pid}/task/${tid}`;
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["proc-thread-file"]);
  expect(finding(preflight, "proc-thread-file").subject).toBe(path);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "proc-thread-file").criu_message!);
  // The remedy is typed into a shell: the descriptor is opened there.
  expect((await typed(stage, preflight, "proc-thread-file")).exit).toBe(0);
  await killTree(stage, pid);
});
