import { startDumped } from "../stage/dumped.ts";
import { withSetting } from "../kernel.ts";
import { report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

const resource =
  (BigInt(`0x${/^CapEff:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))![1]}`) >> 24n) &
  1n;

// With CAP_SYS_RESOURCE a CRIU may make pipes of any size: nothing to see then.
test.if(resource === 0n)("pipe-size: larger than fs.pipe-max-size", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "kernel", ["pipe", "1048576"]);
  await withSetting("fs/pipe-max-size", 65536, async () => {
    const named = await stageCheck({ id: "pipe-size", stage, images, among: true });
    expect(named.remedy.command).toBe("sysctl -w fs.pipe-max-size=1048576");
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "pipe-size")).exit).toBe(0);
    await restored(stage, images);
  });
});
