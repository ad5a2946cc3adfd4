import { report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { dumpShared, madeTheOldWay, typedTheOldWay } from "./mounts.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

test("mount-group: one mount in two places, made from two", async () => {
  await using stage = openStage();
  const { images, from, one, two, narrow } = await dumpShared(stage, true);
  for (const plain of [from(one, one), from(narrow, one)])
    expect((await report(stage, "preflight", images, plain)).findings).toEqual([]);
  expect((await madeTheOldWay(stage, images, "mount-group", from(one, two))).subject).toBe("/one");
  await typedTheOldWay(stage, images, from(one, two), (told, how) =>
    typed(stage, told, "mount-group", how),
  );
  await madeTheOldWay(stage, images, "mount-group", from(one, narrow));
  const pidfile = join(stage.dir, "pid");
  const options = [...from(one, narrow), "--pidfile", pidfile];
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "mount-group", { options })).exit).toBe(0);
  await killTree(stage, Number(readFileSync(pidfile, "utf8")));
  await restored(stage, images, { options: from(narrow, one) });
});
