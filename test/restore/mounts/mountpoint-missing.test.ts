import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { dumpWithMounts } from "./mounts.ts";
import { expect, test } from "bun:test";
import { rmdirSync, statSync } from "node:fs";
import { join } from "node:path";

test("mountpoint-missing: made inside the root, where it can only be a directory", async () => {
  await using stage = openStage();
  const { root, images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  for (const place of ["data", "tmp"]) {
    rmdirSync(join(root, place));
    const named = await stageCheck({
      id: "mountpoint-missing",
      stage,
      images,
      options: all,
      among: true,
    });
    expect(named).toMatchObject({ subject: join(root, place), remedy: { kind: "repair" } });
    await stageCheck({
      id: "mountpoint-missing",
      stage,
      images,
      options: [...all, "--mntns-compat-mode"],
      among: true,
    });
    const told = await report(stage, "preflight", images, all);
    expect((await typed(stage, told, "mountpoint-missing")).exit).toBe(0);
    expect(await report(stage, "preflight", images, all)).toMatchObject({ exit: 0 });
    rmdirSync(join(root, place));
    const done = await report(stage, "restore", images, all);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(statSync(join(root, place)).isDirectory()).toBe(true);
    await killTree(stage, done.run!.pid!);
  }
});
