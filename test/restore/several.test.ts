/** Several CRIUs in PATH, none of them named: the first restores, unless it cannot and another can. */
import { asCriu } from "../dropin/as-criu.ts";
import { dumpBy, forky, newest, old } from "./criu.ts";
import { edit } from "./edit.ts";
import { blockers, report } from "./report.ts";
import { killTree, openStage, recriu, type Stage, start } from "./stage.ts";
import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A PATH of directories, each with one of these as its criu. */
function pathOf(stage: Stage, ...programs: string[]): string {
  const dirs = programs.map((program) => {
    const dir = join(stage.dir, `path-${++stage.count}`);
    mkdirSync(dir);
    symlinkSync(program, join(dir, "criu"));
    return dir;
  });
  return [...dirs, "/usr/bin", "/bin"].join(":");
}

test("the first CRIU that can restore the images is taken, and the report says why; one that is named stays", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dumpBy(stage, newest, pid);
  const at = (path: string, which: number) => join(path.split(":")[which]!, "criu");
  const PATH = pathOf(stage, old, old, forky, newest);
  const env = { PATH, RECRIU_CRIU: "" };
  const told = await report(stage, "restore", images, [], { env });
  expect(told).toMatchObject({ exit: 0, verdict: { result: "match" }, findings: [] });
  expect(told.criu).toMatchObject({
    path: at(PATH, 2),
    instead_of: [{ path: at(PATH, 0), version: "3.17.1", findings: [{ id: "criu-too-old" }] }],
  });
  await killTree(stage, pid);
  const shown = await recriu(stage, ["restore", "-d", "-D", images], { env });
  expect(shown.exit).toBe(0);
  expect(shown.stderr).toContain(
    `criu    ${at(PATH, 2)} 4.2.1, as ${at(PATH, 0)} 3.17.1 cannot restore this here: `,
  );
  await killTree(stage, pid);

  // As criu, too.
  const done = await asCriu(stage, ["restore", "-d", "-D", images, "-W", stage.dir], { env });
  expect(done.exit).toBe(0);
  expect(done.stderr).toContain(`recriu: criu ${at(PATH, 2)} 4.2.1, as ${at(PATH, 0)} 3.17.1`);
  await killTree(stage, pid);

  // The first of those that can; where none can, the first; what is named, whatever it can.
  const first = await report(stage, "preflight", images, [], {
    env: { ...env, PATH: pathOf(stage, newest, forky) },
  });
  expect(first.criu).toEqual({ path: expect.stringContaining(stage.dir), version: "4.3" });
  const named = await report(stage, "preflight", images, ["--criu", old], { env });
  expect([named.criu.path, blockers(named)]).toEqual([old, ["criu-too-old"]]);
  edit(images, "files.img", (entries) => void (entries.at(-1).type = 21));
  const none = await report(stage, "preflight", images, [], {
    env: { ...env, PATH: pathOf(stage, forky, newest) },
  });
  expect(none.criu).toEqual({ path: expect.stringContaining(stage.dir), version: "4.2.1" });
});

for (const [id, first] of Object.entries({
  "criu-unstartable": (stage: Stage) => {
    const broken = join(stage.dir, "broken");
    writeFileSync(broken, "#!/nowhere/criu\n", { mode: 0o755 });
    return broken;
  },
  "image-newer": () => old,
}))
  test(`${id}: the next CRIU that can is taken`, async () => {
    await using stage = openStage();
    const { pid } = await start(stage, "open", [stage.dir]);
    const images = await dumpBy(stage, forky, pid, ["--file-locks"]);
    const env = { PATH: pathOf(stage, first(stage), forky), RECRIU_CRIU: "" };
    const named = await report(stage, "preflight", images, [`--criu=${first(stage)}`], { env });
    expect([named.exit, blockers(named)]).toEqual([3, expect.arrayContaining([id])]);
    const told = await report(stage, "restore", images, [], { env });
    expect([told.exit, told.verdict?.result]).toEqual([0, "match"]);
    expect(blockers(told)).not.toContain(id);
    expect(told.criu).toMatchObject({
      instead_of: [{ findings: expect.arrayContaining([expect.objectContaining({ id })]) }],
    });
    await killTree(stage, told.run!.pid!);
  });

test("a CRIU that others can change is not taken, whatever it can; a script that hides another is none", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dumpBy(stage, newest, pid);
  const weak = join(stage.dir, "weak");
  copyFileSync(forky, weak);
  chmodSync(weak, 0o777);
  const broken = join(stage.dir, "broken");
  writeFileSync(broken, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
  const env = { PATH: pathOf(stage, old, weak, broken), RECRIU_CRIU: "" };
  const told = await report(stage, "preflight", images, [], { env });
  expect(told.criu.version).toBe("3.17.1");
  expect(blockers(told)).toEqual(["criu-too-old"]);
});
