import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage, recriu, restoreBare, undo } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("link-remap-missing: such images can be restored once", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  const other = join(stage.dir, "other");
  writeFileSync(file, "content");
  linkSync(file, other);
  const { pid, images } = await startDumped(stage, "objects", ["read", file, "unlink", file], {
    dump: ["--link-remap"],
  });
  const once = finding(await report(stage, "preflight", images), "link-remap-missing");
  expect(once.severity).toBe("info");
  const [word, from, to] = once.remedy.command!.split(" ");
  expect([word, to]).toEqual(["ln", `${from}.keep`]);
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "link-remap-missing")).exit).toBe(0);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
  expect(existsSync(from!)).toBe(false);
  await stageCheck({
    id: "link-remap-missing",
    stage,
    images,
    pid,
    subject: from!,
    mend: () => linkSync(to!, from!),
  });
});

test("link-remap-missing: a tree that is refused at the last point has lost nothing", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "content");
  linkSync(file, join(stage.dir, "other"));
  const { pid, images } = await startDumped(stage, "objects", ["read", file, "unlink", file], {
    dump: ["--link-remap"],
  });
  const name = finding(await report(stage, "preflight", images), "link-remap-missing").subject;
  rmSync(join(stage.dir, "other"));
  const script = join(stage.dir, "script");
  const spoil = "kill -9 $CRTOOLS_INIT_PID; sleep 0.1";
  const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || { ${spoil}; }\n`;
  writeFileSync(script, text, { mode: 0o755 });
  const names = () => readdirSync(stage.dir).filter((each) => /link_remap|^\.recriu/.test(each));
  const before = names();
  const refused = await report(stage, "restore", images, ["--action-script", script]);
  expect(refused).toMatchObject({ exit: 5, failure: { left: [] } });
  expect(names()).toEqual(before);
  expect(readFileSync(name, "utf8")).toBe("content");
  // A recriu that is killed there: undo brings the name back.
  const die = `kill -9 $(awk '{print $4}' /proc/$PPID/stat)`;
  writeFileSync(script, text.replace(spoil, die));
  const killed = await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
  expect(killed.exit).toBe(137);
  await killTree(stage, pid);
  expect(existsSync(name)).toBe(false);
  expect((await undo(stage)).exit).toBe(0);
  expect(names()).toEqual(before);

  expect((await report(stage, "restore", images)).exit).toBe(0);
  expect(names()).toEqual([]);
  await killTree(stage, pid);

  // By bare CRIU the file would be gone.
  writeFileSync(name, "content");
  writeFileSync(script, text);
  expect((await restoreBare(stage, images, ["--action-script", script])).exit).toBe(1);
  expect(existsSync(name)).toBe(false);
});
