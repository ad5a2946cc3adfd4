import { isBefore43 } from "../criu.ts";
import { finding, report } from "../report.ts";
import { descendants, dump, killTree, openStage, processOf, restoreBare, start } from "../stage.ts";
import { expect, test } from "bun:test";

/** The last field of /proc/PID/stat, as wait(2) would tell it. */
function exitStatus(pid: number): number {
  const stat = Bun.spawnSync(["cat", `/proc/${pid}/stat`]).stdout.toString();
  return Number(stat.trim().split(" ").pop());
}

test("a zombie's exit code of 128 and more is cut before CRIU 4.3", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["zombie", "200"]);
  const zombie = descendants(pid)[0]!.pid;
  const images = await dump(stage, pid);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(0);
  if (isBefore43)
    expect(finding(preflight, "zombie-exit-code")).toMatchObject({
      severity: "warning",
      task: zombie,
    });
  else expect(preflight.findings).toEqual([]);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(processOf(zombie)?.state).toBe("Z");
  expect(exitStatus(zombie)).toBe((isBefore43 ? 200 & 0x7f : 200) << 8);
  await killTree(stage, pid);

  const small = await start(stage, "relations", ["zombie", "100"]);
  const kept = descendants(small.pid)[0]!.pid;
  const others = await dump(stage, small.pid);
  expect((await report(stage, "restore", others)).findings).toEqual([]);
  expect(exitStatus(kept)).toBe(100 << 8);
});
