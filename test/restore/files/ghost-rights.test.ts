import { edit } from "../edit.ts";
import { regOf, stageFile } from "../forged.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("ghost-rights: a deleted setuid program, as a dump may hold one, is made where anybody may start it", async () => {
  const { stage, path, pid, images } = await stageFile((file) => ["write", file, "unlink", file]);
  await using _ = stage;
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  edit(images, ghost!, ([entry]) => (entry.mode = 0o104755));
  edit(images, "files.img", (entries) => (regOf(entries, path).mode = 0o104755));
  const preflight = await report(stage, "preflight", images);
  expect([preflight.exit, blockers(preflight)]).toEqual([3, ["ghost-rights"]]);
  expect(finding(preflight, "ghost-rights").message).toContain("rights of user 0");
  expect((await report(stage, "restore", images)).run).toBeNull();
  // CRIU makes it, and removes it when all goes well.
  const seen = join(stage.dir, "seen");
  const script = join(stage.dir, "script");
  writeFileSync(script, `#!/bin/sh\nstat -c %a ${path}.cr.*.ghost >>${seen}; true\n`, {
    mode: 0o755,
  });
  expect((await restoreBare(stage, images, ["--action-script", script])).exit).toBe(0);
  expect(readFileSync(seen, "utf8")).toContain("4755");
  await killTree(stage, pid);
  const ignored = await report(stage, "restore", images, ["--ignore=ghost-rights"]);
  expect(ignored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, pid);
});

test("ghost-rights: a deleted device", async () => {
  const { stage, path, pid, images } = await stageFile((file) => ["write", file, "unlink", file]);
  await using _ = stage;
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  const as = async (mode: number, rdev: number) => {
    edit(images, ghost!, ([entry]) => Object.assign(entry, { mode, rdev }));
    edit(images, "files.img", (entries) => {
      const reg = regOf(entries, path);
      reg.mode = mode;
      delete reg.size;
    });
    return blockers(await report(stage, "preflight", images));
  };
  expect(await as(0o020666, 0x103)).toEqual([]);
  expect(await as(0o020666, 0x101)).toEqual(["ghost-rights"]);
  expect(await as(0o060666, 0x800)).toContain("image-forged");
  await restoreBare(stage, images);
  await killTree(stage, pid);
});
