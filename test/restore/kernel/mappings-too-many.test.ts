import { losesPriorities as joinsMappings } from "../criu.ts";
import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare, type Stage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

/** What the kernel's default allows is another's, too; a machine of the tests' own (scripts/systems) can have less, which is sooner reached. */
const [MOST, MANY] = process.env["RECRIU_OWN_MACHINE"] ? [6000, 7000] : [65_530, 67_000];

test("mappings-too-many", async () => {
  await using stage = openStage();
  const most = "vm/max_map_count";
  using _ = setting(most, MANY + 13_000);
  const { pid, images } = await startDumped(stage, "memory", ["many", `${MANY}`]);
  {
    using __ = setting(most, MOST);
    // Before 4.0 CRIU makes every other one, too, writable first: all are one then, and it does not see that they stay so.
    const named = joinsMappings
      ? await stayWritable(stage, pid, images)
      : await stageCheck({ id: "mappings-too-many", stage, images });
    expect(named.remedy.command).toBe(
      `sysctl -w vm.max_map_count=${MOST < 65_530 ? 8192 : 131_072}`,
    );
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "mappings-too-many")).exit).toBe(0);
    await restores(stage, images);
    expect(readOnly(pid)).toBeGreaterThanOrEqual(MANY / 2);
  }
});

const readOnly = (pid: number): number =>
  readFileSync(`/proc/${pid}/maps`, "utf8").match(/^\S+ r--p 00000000 00:00 0\b/gm)?.length ?? 0;

async function stayWritable(stage: Stage, pid: number, images: string) {
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["mappings-too-many"]);
  const named = finding(preflight, "mappings-too-many");
  expect(named).toMatchObject({
    message: expect.stringContaining("writable that were not"),
    criu_message: null,
  });
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(readOnly(pid)).toBeLessThan(MANY / 2);
  await killTree(stage, pid);
  return named;
}
