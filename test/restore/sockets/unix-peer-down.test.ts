import { startDumped } from "../stage/dumped.ts";
import { blockers, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage, start } from "../stage.ts";
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";

test("unix-peer-down: nobody listens at the path of a datagram service", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "log");
  const service = await start(stage, "objects", ["dgram", name]);
  const { pid, images } = await startDumped(stage, "objects", ["connect", name], {
    dump: ["--ext-unix-sk"],
  });
  // CRIU does not ask for the option here, so neither does recriu.
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  await killTree(stage, service.pid);
  const down = await stageCheck({
    id: "unix-peer-down",
    stage,
    images,
    pid,
    subject: name,
    mend: async () => {
      rmSync(name);
      await start(stage, "objects", ["dgram", name]);
    },
  });
  expect(down.criu_message).toContain("Connection refused");
});

test("unix-peer-down: an abstract name, and a path that is gone", async () => {
  await using stage = openStage();
  const options = ["--ext-unix-sk"];
  for (const name of [`@${stage.dir}`, join(stage.dir, "gone")]) {
    const service = await start(stage, "objects", ["dgram", name]);
    const { pid, images } = await startDumped(stage, "objects", ["connect", name], {
      dump: options,
    });
    expect(blockers(await report(stage, "preflight", images, options))).toEqual([]);
    await killTree(stage, service.pid);
    rmSync(name, { force: true });
    await stageCheck({
      id: "unix-peer-down",
      stage,
      images,
      pid,
      subject: name,
      options,
      mend: async () => void (await start(stage, "objects", ["dgram", name])),
    });
  }
});
