import { said } from "../images.ts";
import { report } from "../report.ts";
import { criu, openStage, restoreBare, run, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

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
  // The log is elsewhere, or a pipe without a writer is in its place.
  rmSync(join(half, "dump.log"));
  expect((await run(stage, ["mkfifo", join(half, "dump.log")])).exit).toBe(0);
  const unknown = await said(stage, "preflight", ["-D", half]);
  expect(unknown).toMatchObject({ exit: 6 });
  expect(unknown.line).toContain("the dump failed, or the copy is not whole");
});
