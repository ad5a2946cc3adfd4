/** --auto-dedup: the images lose nothing before the tree runs, and then what bare CRIU would have taken. */
import { asCriu } from "../dropin/as-criu.ts";
import { ask, restore as request } from "../dropin/rpc.ts";
import { blocks, bytes, copy, dumped, takenByCriu, veto } from "./dedup.ts";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { alive, killTree, openStage, restoreBare } from "./stage.ts";
import { expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

test("a tree that is not the saved one and is only reported keeps its images", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const script = join(stage.dir, "script");
  const spoil = `[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || mv ${stage.dir}/mapped ${stage.dir}/other`;
  writeFileSync(script, `#!/bin/sh\n${spoil}\n`, { mode: 0o755 });
  const before = bytes(images);
  const words = ["--auto-dedup", "--verify=report", "--action-script", script];
  const done = await report(stage, "restore", images, words);
  expect(done.exit).toBe(5);
  expect(done.notes.join()).toContain("the images keep all");
  expect(alive(pid)).toBe(true);
  expect(bytes(images)).toEqual(before);
});

test("an incremental checkpoint: what is read of its parent goes, too", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const older = join(stage.dir, "older");
  mkdirSync(older);
  for (const file of readdirSync(images).filter((name) => /^pages-|^pagemap-/.test(name)))
    cpSync(join(images, file), join(older, file));
  symlinkSync("../older", join(images, "parent"));
  // Its first four runs are in the parent only.
  edit(images, `pagemap-${pid}.img`, ([{ pages_id }, ...runs]) => {
    const older4 = runs.slice(0, 4);
    for (const each of older4) Object.assign(each, { flags: 1, in_parent: true });
    const file = join(images, `pages-${pages_id}.img`);
    const count = older4.reduce(
      (sum, each) => sum + Number(each.nr_pages ?? each.compat_nr_pages),
      0,
    );
    writeFileSync(file, readFileSync(file).subarray(count * 4096));
  });
  const aside = `${older}.aside`;
  cpSync(older, aside, { recursive: true });
  const spared = copy(stage, images, "spared");
  expect((await restoreBare(stage, images, ["--auto-dedup"])).exit).toBe(0);
  const bare = blocks(images);
  await killTree(stage, pid);
  renameSync(older, `${older}.bare`);
  renameSync(aside, older);
  expect(blocks(spared)).not.toEqual(bare);
  expect((await report(stage, "restore", spared, ["--auto-dedup"])).exit).toBe(0);
  expect(blocks(spared)).toEqual(bare);
});

test("as criu, on the command line and by a request: the same", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const bare = await takenByCriu(stage, images, pid);
  const whole = bytes(images);
  const words = ["restore", "-d", "-D", images, "-o", "r.log", "--auto-dedup"];
  expect((await asCriu(stage, [...words, "--action-script", veto(stage)])).exit).toBe(1);
  expect(bytes(images)).toEqual(whole);
  const once = copy(stage, images, "once");
  expect(await asCriu(stage, words)).toMatchObject({ exit: 0, stderr: "" });
  expect(blocks(images)).toEqual(bare);
  await killTree(stage, pid);

  const config = join(stage.dir, "config");
  writeFileSync(config, `action-script ${veto(stage)}\n`);
  const refused = await ask(stage, once, request({ auto_dedup: true, config_file: config }));
  expect(refused.answer).toMatchObject({ success: false });
  expect(bytes(once)).toEqual(whole);
  const twice = copy(stage, once, "twice");
  expect((await ask(stage, once, request({ auto_dedup: true }))).answer).toMatchObject({
    success: true,
  });
  expect(blocks(once)).toEqual(bare);
  await killTree(stage, pid);
  writeFileSync(config, "auto-dedup\n");
  const { answer } = await ask(stage, twice, request({ config_file: config }));
  expect(answer).toMatchObject({ success: true });
  expect(blocks(twice)).toEqual(bare);
});
