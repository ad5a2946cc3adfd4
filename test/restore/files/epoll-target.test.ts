import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const watched = (pid: number) => /^tfd: .*$/m.exec(readFileSync(`/proc/${pid}/fdinfo/10`, "utf8"));

for (const [how, why] of [
  ["closed", "that task has none"],
  ["file", "would not take it"],
] as const) {
  test(`the child has ${how === "file" ? "a file there" : "closed it"}: CRIU fails`, async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage, "epoll", [join(stage.dir, "other"), how]);
    const named = await stageCheck({ id: "epoll-target", stage, images, among: true });
    expect(named.task).toBeLessThan(pid);
    expect(named.subject).toBe("descriptor 11");
    expect(named.message).toContain(why);
  });
}

test("the child has another eventfd there: bare CRIU restores a deaf epoll, recriu none", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "epoll", [join(stage.dir, "other"), "eventfd"]);
  const named = await report(stage, "preflight", images);
  expect([named.exit, blockers(named)]).toEqual([3, ["epoll-target"]]);
  expect(finding(named, "epoll-target").message).toContain("come back deaf");
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(watched(pid)).not.toBeNull();
  await killTree(stage, pid);
  // A restore all the same is told by the verification, which asks the kernel which file it is.
  const refused = await report(stage, "restore", images, ["--ignore=epoll-target"]);
  expect(refused.exit).toBe(5);
  expect(refused.verdict!.differences).toMatchObject([
    {
      facet: "open files",
      expected: `target of watch 11 of descriptor 10: descriptor 11 of task ${pid}`,
      class: "fatal",
    },
  ]);
});
