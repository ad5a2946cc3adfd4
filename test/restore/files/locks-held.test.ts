import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

for (const kind of ["flock", "posix"]) {
  test(`locks-held: CRIU waits for a ${kind} lock; locks-ignored: or leaves it out`, async () => {
    await using stage = openStage();
    const file = join(stage.dir, "file");
    const { pid, images } = await startDumped(stage, "objects", [kind, file], {
      dump: ["--file-locks"],
    });
    const inode = statSync(file).ino;
    const isLocked = () => readFileSync("/proc/locks", "utf8").includes(`:${inode} `);

    const without = await report(stage, "preflight", images);
    expect(without.findings).toMatchObject([{ id: "locks-ignored", severity: "warning" }]);
    expect((await restoreBare(stage, images)).exit).toBe(0);
    expect(isLocked()).toBe(false);
    await killTree(stage, pid);
    expect((await typed(stage, without, "locks-ignored")).exit).toBe(0);
    expect(isLocked()).toBe(true);
    await killTree(stage, pid);
    expect((await report(stage, "preflight", images, ["--no-file-locks"])).findings).toEqual([]);

    const holder = await start(stage, "objects", [kind, file]);
    const before = await report(stage, "preflight", images, ["--file-locks"]);
    expect(before.findings).toMatchObject([
      { id: "locks-held", severity: "blocker", subject: file, criu_message: null },
    ]);
    expect(finding(before, "locks-held").remedy.command).toBe(`kill ${holder.pid}`);
    const waiting = await restoreBare(stage, images, ["--file-locks"], { timeout: 1500 });
    expect(waiting.exit).toBeNull();
    expect((await typed(stage, before, "locks-held")).exit).toBe(0);
    const restored = await report(stage, "restore", images, ["--file-locks"]);
    expect(restored).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
    expect(isLocked()).toBe(true);
    await killTree(stage, pid);
  });
}

test("locks-held: of an open file description's lock CRIU says so", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  const options = ["--file-locks"];
  const { pid, images } = await startDumped(stage, "objects", ["ofd", file], { dump: options });
  await start(stage, "objects", ["ofd", file]);
  await stageCheck({ id: "locks-held", stage, images, pid, subject: file, options, mend: "typed" });
});
