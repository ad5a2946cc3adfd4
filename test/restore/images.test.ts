/** Checkpoints that are not whole. */
import { expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { finding, report } from "./report.ts";
import {
  criu,
  dump,
  killTree,
  openStage,
  recriu,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";

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
  // A finding alone, where each image used to be one that is missing.
  const empty = await report(stage, "preflight", stage.dir);
  expect(empty.exit).toBe(2);
  expect(empty.findings.map(({ id }) => id)).toEqual(["no-checkpoint"]);
});

/** What recriu says in people's words, which is to be one line, and its exit code. */
async function said(stage: Stage, command: string, options: string[], cwd = "/") {
  const { exit, stderr } = await recriu(stage, [command, ...options], { cwd });
  expect([command, stderr.trim().split("\n").length]).toEqual([command, 1]);
  return { exit, line: stderr };
}

test("no-checkpoint: above the images, in a home directory, in what a pre-dump left", async () => {
  await using stage = openStage();
  const { images } = await dumpOne(stage);
  for (const command of ["preflight", "restore", "show", "verify"]) {
    const above = await said(stage, command, ["-D", stage.dir]);
    expect(above.exit).toBe(2);
    expect(above.line).toContain(`holds no image itself, but broken, ${basename(images)} below it`);
  }
  const bare = await restoreBare(stage, stage.dir);
  expect(bare.exit).toBe(1);
  const above = await report(stage, "preflight", stage.dir);
  expect(finding(above, "no-checkpoint").criu_message).toBe("Unexpected EOF on (empty-image)");
  const led = await typed(stage, above, "no-checkpoint");
  expect([led.exit, led.stderr.includes("ready to restore")]).toEqual([0, true]);
  expect(bare.log).toContain("Unexpected EOF on (empty-image)");
  const home = join(stage.dir, "home");
  mkdirSync(home);
  writeFileSync(join(home, ".profile"), "");
  const plain = await said(stage, "restore", [], home);
  expect(plain).toMatchObject({ exit: 2 });
  expect(plain.line).toContain("the working directory (no --images-dir was given) holds no image");
  // No memory is tracked on every machine: what a pre-dump leaves is made of a dump.
  const before = join(stage.dir, "pre-dump");
  cpSync(images, before, { recursive: true });
  for (const file of readdirSync(before))
    if (!/^(?:inventory|pagemap-\d+|pages-\d+)\.img$/.test(file)) rmSync(join(before, file));
  const memory = await said(stage, "restore", ["-D", before]);
  expect(memory).toMatchObject({ exit: 2 });
  expect(memory.line).toContain("the memory that a pre-dump saved");
});

test("dump-failed: the log of the dump says why", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "ghost", [join(stage.dir, "deleted")]);
  const half = join(stage.dir, "half");
  mkdirSync(half);
  const words = ["dump", "-t", `${pid}`, "-D", half, "-o", "dump.log", "-v4", "--ghost-limit", "1"];
  expect((await run(stage, [criu, ...words])).exit).toBe(1);
  const failed = await report(stage, "restore", half);
  expect(failed).toMatchObject({ exit: 6, run: null, findings: [{ id: "dump-failed" }] });
  expect(failed.findings[0]!.message).toMatch(/is of a dump that failed: .*ghost file/);
  expect(failed.findings[0]!.remedy.command).toBe(`recriu explain ${join(half, "dump.log")}`);
  const explained = await typed(stage, failed, "dump-failed");
  expect(explained.stderr).toContain("ghost file");
  const bare = await restoreBare(stage, half);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(failed.findings[0]!.criu_message!);
  expect((await said(stage, "restore", ["-D", half])).exit).toBe(6);
  // The log is elsewhere, or a pipe is there in its place that nobody feeds.
  rmSync(join(half, "dump.log"));
  expect((await run(stage, ["mkfifo", join(half, "dump.log")])).exit).toBe(0);
  const unknown = await said(stage, "preflight", ["-D", half]);
  expect(unknown).toMatchObject({ exit: 6 });
  expect(unknown.line).toContain("the dump failed, or the copy is not whole");
});

test("a copy without its inventory is one line too, and says that the dump went well", async () => {
  await using stage = openStage();
  const { images, broken } = await dumpOne(stage);
  cpSync(
    join(stage.dir, basename(images).replace("images", "dump"), "dump.log"),
    join(broken, "dump.log"),
  );
  rmSync(join(broken, "inventory.img"));
  const { exit, line } = await said(stage, "restore", ["-D", broken]);
  expect(exit).toBe(6);
  expect(line).toContain("says that the dump succeeded, so the copy is not whole");
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
