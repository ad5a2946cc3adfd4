/** What is said of what was not asked, and of names that there are not. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { mkdirSync, rmdirSync } from "node:fs";
import { report } from "./report.ts";
import { openStage, recriu } from "./stage.ts";

test("--only gives no verdict on what it did not check", async () => {
  await using stage = openStage();
  const cwd = join(stage.dir, "work");
  mkdirSync(cwd);
  const { images } = await startDumped(stage, "sched", ["other", "0", "0"], { cwd });
  rmdirSync(cwd);
  const others = await report(stage, "preflight", images, ["--only=pid-in-use"]);
  expect(others).toMatchObject({ exit: 0, findings: [], plan: { outcome: "unchecked" } });
  const { stderr } = await recriu(stage, ["preflight", "-D", images, "--only=pid-in-use"]);
  expect(stderr).not.toContain("ready");
  expect(stderr).toContain("--only");
  const it = await report(stage, "preflight", images, ["--only=cwd-missing"]);
  expect(it).toMatchObject({ exit: 3, plan: { outcome: "blocked" } });
});

test("names of checks that there are not: who gave them, and which are near", async () => {
  await using stage = openStage();
  const preflight = ["preflight", "-D", stage.dir];
  const said = async (words: string[], env: Record<string, string> = {}) => {
    const { exit, stderr } = await recriu(stage, [...preflight, ...words], { env });
    expect(exit).toBe(2);
    return stderr;
  };
  expect(await said(["--ignore=pid-inuse"])).toContain(
    "--ignore: there is no check pid-inuse (did you mean pid-in-use",
  );
  expect(await said(["--only=cwd"])).toContain(
    "--only: there is no check cwd (did you mean cwd-missing",
  );
  expect(await said([], { RECRIU_IGNORE: "file-mising" })).toContain(
    "RECRIU_IGNORE: there is no check file-mising (did you mean file-missing",
  );
  const far = await said(["--ignore=xxxxxxxx"]);
  expect(far).toContain("there is no check xxxxxxxx; recriu explain --list");
  const { exit, stderr } = await recriu(stage, ["explain", "pid-inuse"]);
  expect([exit, stderr.includes("did you mean pid-in-use")]).toEqual([1, true]);
});
