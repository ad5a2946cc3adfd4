import { restored, stageCheck } from "../stage-check.ts";
import { finding, report } from "../report.ts";
import { killTree, openStage, recriu, run } from "../stage.ts";
import { dumpWithMounts } from "./mounts.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("root-missing: a directory it must be, a mount point it need not be", async () => {
  await using stage = openStage();
  const { root, images, data, map } = await dumpWithMounts(stage);
  const nowhere = join(stage.dir, "nowhere");
  await stageCheck({
    id: "root-missing",
    stage,
    images,
    options: ["--root", nowhere, ...map(data)],
    among: true,
  });
  await stageCheck({
    id: "root-missing",
    stage,
    images,
    options: ["--root", join(root, "app"), ...map(data)],
    among: true,
  });
  // Once it is no mount point any more, it does as well.
  await run(stage, ["umount", root]);
  await restored(stage, images, { options: ["--root", root, ...map(data)] });
});

test("root-missing: where files were taken along, an empty directory that a person makes is filled with them", async () => {
  await using stage = openStage();
  const { root, images, data, map } = await dumpWithMounts(stage);
  expect((await recriu(stage, ["seal", "--with-files", "--root", root, images])).exit).toBe(0);
  const gone = join(stage.dir, "gone");
  const options = ["--root", gone, ...map(data)];
  const without = await report(stage, "preflight", images, options);
  expect((await typed(stage, without, "root-missing")).exit).toBe(0);
  // Devices are never taken along: what is left to a person has its command.
  const left = await report(stage, "restore", images, options);
  const persons = left.findings.filter(({ remedy }) => remedy.kind === "human");
  expect([left.exit, persons.map(({ subject }) => subject)]).toEqual([3, [join(gone, "dev/null")]]);
  expect((await typed(stage, left, "file-missing", { subject: join(gone, "dev/null") })).exit).toBe(
    0,
  );
  const done = await report(stage, "restore", images, options);
  expect([done.exit, done.failure, done.verdict?.result]).toEqual([0, null, "match"]);
  await killTree(stage, done.run!.pid!);
  const untrusted = await report(stage, "preflight", images, [
    "--untrusted",
    "--root",
    `${gone}-too`,
    ...map(data),
  ]);
  expect(finding(untrusted, "root-missing").remedy.command ?? null).toBe(null);
});
