import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { eventually, v2 } from "../cgroup-rules.ts";
import { report } from "../report.ts";
import { criu, killTree, makeCgroup, openStage, recriu, run } from "../stage.ts";
import { typed } from "../typed.ts";

const MANY = 600;

test("cgroup-copied: a dump in a cgroup with hundreds of others below brings all of those back", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "full");
  const made = () =>
    readdirSync(cgroup, { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .map(({ name }) => join(cgroup, name));
  const clear = () => made().forEach((each) => rmdirSync(each));
  // CRIU before 4.1 saves one whose name begins with another's as that one's child: none does so.
  for (let n = 0; n < MANY; n++) mkdirSync(join(cgroup, `${n}-other`));
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "0"], {
    cgroups: [cgroup],
  });
  await killTree(stage, pid);
  // As long as they are there nothing is made.
  expect(
    (await report(stage, "preflight", images)).findings.filter(({ id }) => id === "cgroup-copied"),
  ).toEqual([]);
  await eventually(clear);
  try {
    expect((await run(stage, [criu, "restore", "-d", "-D", images])).exit).toBe(0);
    expect(made()).toHaveLength(MANY);
    await killTree(stage, pid);
    await eventually(clear);

    const before = await report(stage, "preflight", images);
    expect(before.findings.find(({ id }) => id === "cgroup-copied")).toMatchObject({
      severity: "blocker",
      message: expect.stringContaining(`${MANY} cgroups`),
    });
    expect((await typed(stage, before, "cgroup-copied")).exit).toBe(0);
    expect(made()).toEqual([]);
    await killTree(stage, pid);
    expect((await recriu(stage, ["restore", "-d", "-D", images])).exit).toBe(0);
    expect(made()).toEqual([]);
  } finally {
    await killTree(stage, pid);
    await eventually(clear);
  }
});
