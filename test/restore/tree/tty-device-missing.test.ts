import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report, sameWords } from "../report.ts";
import { openStage, restoreBare, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";

test("the device of a console is gone", async () => {
  await using stage = openStage();
  const device = join(stage.dir, "console");
  const make = async () => {
    const made = await run(stage, ["mknod", "-m", "620", device, "c", "4", "20"]);
    expect(made.exit).toBe(0);
  };
  await make();
  const { images } = await startDumped(stage, "terminal", ["open", device]);
  rmSync(device);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-device-missing"]);
  const found = finding(preflight, "tty-device-missing");
  expect(found.remedy.command).toBe(`mknod -m 0620 ${device} c 4 20`);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(sameWords(bare.log, found.criu_message!)).toBe(true);
  expect((await typed(stage, preflight, "tty-device-missing")).exit).toBe(0);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
