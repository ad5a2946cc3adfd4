import { copyOf, startDumped } from "../stage/dumped.ts";
import { dumpOne } from "../images.ts";
import { finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

test("image-missing", async () => {
  await using stage = openStage();
  const { pid, broken } = await dumpOne(stage);
  rmSync(join(broken, `core-${pid}.img`));
  const preflight = await report(stage, "preflight", broken);
  expect(preflight.exit).toBe(6);
  expect(finding(preflight, "image-missing")).toMatchObject({
    task: pid,
    subject: `core-${pid}.img`,
  });
  const bare = await restoreBare(stage, broken);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "image-missing").criu_message!);
  expect((await report(stage, "restore", broken)).run).toBeNull();
});

test("a child without descriptors has no image of them, and one that is lost is missed", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["closed"]);
  const lost = copyOf(stage, images, "lost");
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    findings: [],
    verdict: { result: "match" },
  });
  await killTree(stage, pid);
  const fdinfo = readdirSync(lost).find((name) => name.startsWith("fdinfo-"))!;
  rmSync(join(lost, fdinfo));
  const missed = await report(stage, "preflight", lost);
  expect(finding(missed, "image-missing")).toMatchObject({ subject: fdinfo, severity: "warning" });
});

test("image-missing: the content of an unlinked file", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "ghost", [join(stage.dir, "file")]);
  const broken = copyOf(stage, images, "broken");
  rmSync(join(broken, "ghost-file-1.img"));
  const named = await stageCheck({ id: "image-missing", stage, images: broken, exit: 6 });
  expect(named.subject).toBe("ghost-file-1.img");
  await restores(stage, images);
});
