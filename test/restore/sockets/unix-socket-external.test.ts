import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, openStage, restoreBare, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("unix-socket-external: CRIU wants to be told, and recriu tells it", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "middle");
  const outside = join(stage.dir, "outside");
  await start(stage, "objects", ["dgram", outside]);
  const { pid, images } = await startDumped(stage, "objects", ["between", name, outside], {
    dump: ["--ext-unix-sk"],
  });
  // CRIU does not find what comes later in files.img.
  const lost = await report(stage, "preflight", images, ["--ext-unix-sk"]);
  expect(blockers(lost)).toEqual(["unix-peer-missing"]);
  const unresolved = await restoreBare(stage, images, ["--ext-unix-sk"]);
  expect(unresolved.exit).toBe(1);
  expect(unresolved.log).toContain(finding(lost, "unix-peer-missing").criu_message!);
  edit(images, "files.img", (files) => {
    const [first, ...others] = files.filter(({ usk }) => usk !== undefined);
    const order = [...others, { ...first }].map((file) => ({ ...file }));
    for (const [index, file] of [first, ...others].entries()) Object.assign(file, order[index]);
  });

  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-socket-external"]);
  expect(finding(preflight, "unix-socket-external").subject).toBe(outside);
  expect(preflight.plan).toMatchObject({ outcome: "ready", options: ["--ext-unix-sk"] });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-socket-external").criu_message!);
  expect((await typed(stage, preflight, "unix-socket-external")).exit).toBe(0);
  await killTree(stage, pid);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0 });
  await killTree(stage, pid);
  expect((await report(stage, "restore", images, ["--ext-unix-sk"])).findings).toEqual([]);
});
