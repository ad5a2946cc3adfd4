import { startDumped } from "../stage/dumped.ts";
import { image } from "../../image/fixture.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

test("image-deprecated: timers and limits in images of their own", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  edit(images, `core-${pid}.img`, ([core]) => void delete core.tc.timers);
  const none = { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
  writeFileSync(
    join(images, `itimers-${pid}.img`),
    image(`itimers-${pid}.img`, [none, none, none]),
  );
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(
    finding(await report(stage, "preflight", images), "image-deprecated").criu_message!,
  );
  // recriu lets CRIU read them.
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({
    exit: 0,
    plan: { options: ["--deprecated"] },
    verdict: { result: "match" },
  });
});

test("image-deprecated: who says --no-deprecated is asked", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  edit(images, `core-${pid}.img`, ([core]) => void delete core.tc.rlimits);
  const options = ["--no-deprecated"];
  await stageCheck({ id: "image-deprecated", stage, images, options });
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "image-deprecated", { options })).exit).toBe(0);
  await killTree(stage, pid);
  await restores(stage, images, { options: ["--deprecated"] });
});
