import { dumpOne } from "../images.ts";
import { finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { dump, killTree, openStage, restoreBare, start } from "../stage.ts";
import { expect, test } from "bun:test";
import { cpSync, readdirSync, rmSync } from "node:fs";
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
  const { pid } = await start(stage, "kernel", ["closed"]);
  const images = await dump(stage, pid);
  const lost = join(stage.dir, "lost");
  cpSync(images, lost, { recursive: true });
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
  const { pid } = await start(stage, "ghost", [join(stage.dir, "file")]);
  const images = await dump(stage, pid);
  const broken = join(stage.dir, "broken");
  cpSync(images, broken, { recursive: true });
  rmSync(join(broken, "ghost-file-1.img"));
  const named = await stageCheck({ id: "image-missing", stage, images: broken, exit: 6 });
  expect(named.subject).toBe("ghost-file-1.img");
  await restores(stage, images);
});
