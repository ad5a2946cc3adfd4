/** Checkpoints that are not whole. */
import { expect, test } from "bun:test";
import { cpSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { finding, report } from "./report.ts";
import { dump, openStage, recriu, restoreBare, type Stage, start } from "./stage.ts";

async function dumpOne(stage: Stage) {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const broken = join(stage.dir, "broken");
  cpSync(images, broken, { recursive: true });
  return { pid, images, broken };
}

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

test("image-truncated", async () => {
  await using stage = openStage();
  const { pid, broken } = await dumpOne(stage);
  const mm = join(broken, `mm-${pid}.img`);
  truncateSync(mm, statSync(mm).size - 5);
  const preflight = await report(stage, "preflight", broken);
  expect(preflight.exit).toBe(6);
  const named = finding(preflight, "image-truncated");
  expect(named.subject).toBe(`mm-${pid}.img`);
  const bare = await restoreBare(stage, broken);
  expect(bare.exit).not.toBe(0);
  expect(bare.log).toContain(named.criu_message!);
});

test("an image of another kind under the name", async () => {
  await using stage = openStage();
  const { pid, broken } = await dumpOne(stage);
  renameSync(join(broken, "pstree.img"), join(broken, "files.img"));
  cpSync(join(broken, `core-${pid}.img`), join(broken, "pstree.img"));
  const preflight = await report(stage, "preflight", broken);
  expect(preflight.exit).toBe(6);
  const bare = await restoreBare(stage, broken);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(
    preflight.findings.find((entry) => entry.subject === "pstree.img")!.criu_message!,
  );
});

test("pages-short: bare CRIU spins for ever, recriu does not start it", async () => {
  await using stage = openStage();
  const { broken } = await dumpOne(stage);
  const pages = join(broken, "pages-1.img");
  truncateSync(pages, statSync(pages).size - 4096);
  const preflight = await report(stage, "restore", broken);
  expect(preflight).toMatchObject({ exit: 6, run: null });
  expect(finding(preflight, "pages-short").subject).toBe("pages-1.img");
  const bare = await restoreBare(stage, broken, ["-v0"], { timeout: 2000 });
  expect(bare.exit).toBeNull();
});

test("the whole checkpoint is none of these", async () => {
  await using stage = openStage();
  const { images } = await dumpOne(stage);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});

test("no directory, a file in its place, an empty directory", async () => {
  await using stage = openStage();
  const nowhere = await recriu(stage, ["preflight", "-D", join(stage.dir, "nowhere")]);
  expect(nowhere.exit).toBe(2);
  expect(nowhere.stderr).toContain("nowhere");
  expect((await recriu(stage, ["preflight", "-D", "/etc/passwd"])).exit).toBe(2);
  const empty = await report(stage, "preflight", stage.dir);
  expect(empty.exit).toBe(6);
  expect(empty.findings.map((entry) => entry.subject)).toContain("inventory.img");
});
