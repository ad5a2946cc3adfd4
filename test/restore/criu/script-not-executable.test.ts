import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

test("script-not-executable", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const script = join(stage.dir, "script");
  const options = ["--action-script", script];
  await stageCheck({ id: "script-not-executable", stage, images, options });
  writeFileSync(script, "#!/bin/sh\nexit 0\n", { mode: 0o644 });
  const named = await stageCheck({ id: "script-not-executable", stage, images, options });
  expect(named.remedy.command).toBe(`chmod +x ${script}`);
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "script-not-executable")).exit).toBe(0);
  writeFileSync(script, "#!/nowhere/sh\nexit 0\n");
  await stageCheck({ id: "script-not-executable", stage, images, options });
  writeFileSync(script, "exit 0\n"); // without a first line it is one of sh
  await restores(stage, images, { options });
});

test("script-not-executable: a name is looked for in PATH", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const options = ["--action-script", "recriu-no-such-script"];
  await stageCheck({ id: "script-not-executable", stage, images, options });
  await restores(stage, images, { options: ["--action-script", "true"] });
});
