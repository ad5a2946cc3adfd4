import { startDumped } from "../stage/dumped.ts";
import { repository } from "../../built.ts";
import { old } from "../criu.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, openStage, run, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const vvarVclock = readFileSync("/proc/self/maps", "utf8").includes("[vvar_vclock]");

// Before Linux 6.13 there is no such mapping, and CRIU 3.17.1 starts.
test.skipIf(!vvarVclock)(
  "criu-too-old: this kernel has a mapping that it cannot take",
  async () => {
    await using stage = openStage();
    const { images } = await startDumped(stage);
    const named = await report(stage, "restore", images, [`--criu=${old}`]);
    expect(named).toMatchObject({ exit: 3, run: null, criu: { path: old, version: "3.17.1" } });
    expect(blockers(named)).toEqual(["criu-too-old"]);
    const version = await typed(stage, named, "criu-too-old");
    expect([version.exit, version.stdout]).toEqual([0, expect.stringContaining("Version: ")]);
    const bare = await run(stage, [
      old,
      "restore",
      "-d",
      "-D",
      images,
      "-o",
      join(stage.dir, "log"),
    ]);
    expect(bare.exit).toBe(1);
    expect(readFileSync(join(stage.dir, "log"), "utf8")).toContain(
      finding(named, "criu-too-old").criu_message!,
    );
    expect((await report(stage, "restore", images)).exit).toBe(0);
  },
);

test("criu-too-old: images of CRIU 4.2 have no pages for an older one", async () => {
  await using stage = openStage();
  const [older, newer] = ["trixie", "forky"].map((suite) =>
    join(repository, `.cache/criu/${suite}/criu`),
  );
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = join(stage.dir, "images");
  mkdirSync(images);
  expect((await run(stage, [newer!, "dump", "-t", `${pid}`, "-D", images])).exit).toBe(0);
  const named = await report(stage, "restore", images, [`--criu=${older}`]);
  expect(named).toMatchObject({ exit: 3, run: null });
  expect(blockers(named)).toEqual(["criu-too-old"]);
  const log = join(stage.dir, "log");
  const bare = await run(stage, [older!, "restore", "-d", "-D", images, "-o", log]);
  expect(bare.exit).toBe(1);
  expect(readFileSync(log, "utf8")).toContain(finding(named, "criu-too-old").criu_message!);
  expect((await report(stage, "restore", images, [`--criu=${newer}`])).exit).toBe(0);
  await killTree(stage, pid);
});
