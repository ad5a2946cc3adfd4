/** --auto-dedup: the images lose nothing before the tree runs, and then what bare CRIU would have taken. */
import { expect, test } from "bun:test";
import {
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openCheckpoint, registersOf } from "../../src/image/index.ts";
import { asCriu } from "../dropin/as-criu.ts";
import { ask, restore as request } from "../dropin/rpc.ts";
import { edit } from "./edit.ts";
import { restores, stageCheck } from "./stage-check.ts";
import { finding, report } from "./report.ts";
import {
  alive,
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
import { reportUnder } from "./under.ts";

/** A tree with memory of every kind. */
async function dumped(stage: Stage) {
  const file = join(stage.dir, "mapped");
  writeFileSync(file, Buffer.alloc(4 * 4096, "x"));
  const { pid } = await start(stage, "contents", [file]);
  return { pid, images: await dump(stage, pid) };
}

const pagesOf = (images: string) =>
  readdirSync(images)
    .filter((name) => name.startsWith("pages-"))
    .toSorted();

/** Blocks of every pages image, the parent's too. */
const blocks = (images: string): number[] =>
  [images, join(images, "parent")].flatMap((dir) => {
    const there = statSync(dir, { throwIfNoEntry: false });
    return there ? pagesOf(dir).map((name) => statSync(join(dir, name)).blocks) : [];
  });
const bytes = (images: string) =>
  pagesOf(images).map((name) => Bun.hash(readFileSync(join(images, name))));

function copy(stage: Stage, images: string, name: string): string {
  const to = join(stage.dir, name);
  cpSync(images, to, { recursive: true, verbatimSymlinks: true });
  return to;
}

/** A script that refuses the tree when everything is read, at the last moment at which CRIU heeds it. */
function veto(stage: Stage): string {
  const path = join(stage.dir, "veto");
  writeFileSync(path, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n", { mode: 0o755 });
  return path;
}

/** What CRIU of its own takes out of a copy of the images. */
async function takenByCriu(stage: Stage, images: string, pid: number): Promise<number[]> {
  const consumed = copy(stage, images, "bare");
  expect((await restoreBare(stage, consumed, ["--auto-dedup"])).exit).toBe(0);
  await killTree(stage, pid);
  const after = blocks(consumed);
  expect(after).not.toEqual(blocks(images));
  return after;
}

test("recriu restore: a refused tree has lost nothing, one that runs as much as by bare CRIU", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const bare = await takenByCriu(stage, images, pid);
  const lost = copy(stage, images, "lost");
  const refused = ["--auto-dedup", "--action-script", veto(stage)];
  expect((await restoreBare(stage, lost, refused)).exit).toBe(1);
  expect(bytes(lost)).not.toEqual(bytes(images));

  const whole = copy(stage, images, "whole");
  expect((await report(stage, "restore", whole, refused)).exit).toBe(1);
  expect(bytes(whole)).toEqual(bytes(images));
  for (const options of [[], ["--verify=off"]]) {
    const images2 = copy(stage, images, `whole-${options}`);
    const words = ["--auto-dedup", ...options];
    const done = await report(stage, "restore", images2, words);
    expect(done).toMatchObject({
      exit: 0,
      notes: [],
      findings: [{ id: "auto-dedup", severity: "info" }],
    });
    expect(blocks(images2)).toEqual(bare);
    await killTree(stage, pid);
  }
  // From a configuration file, attached.
  const config = join(stage.dir, "config");
  writeFileSync(config, "auto-dedup\n");
  const attached = recriu(stage, ["restore", "-D", whole, "--config", config]);
  while (!alive(pid) || blocks(whole).join() !== bare.join()) await Bun.sleep(5);
  await killTree(stage, pid);
  expect((await attached).exit).toBe(0);
});

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

test("auto-dedup: images that cannot be written to", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const bind = `mount --bind ${images} ${images} && mount -o remount,bind,ro ${images}`;
  const under = (command: string) => ["unshare", "-m", "sh", "-c", `${bind} && ${command}`];
  const named = await stageCheck({
    id: "auto-dedup",
    stage,
    images,
    under,
    options: ["--auto-dedup"],
  });
  expect(named.remedy.command).toBe("--no-auto-dedup");
  const options = ["--auto-dedup"];
  const told = await reportUnder(stage, under, "preflight", images, options);
  expect((await typed(stage, told, "auto-dedup", { options, under })).exit).toBe(0);
  await killTree(stage, pid);
});

test("auto-dedup: a stranger's directory leads to nobody else's file", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const victim = join(stage.dir, "victim");
  const content = Buffer.alloc(1 << 20, "precious");
  chownSync(images, 65534, 65534);
  for (const name of readdirSync(images)) chownSync(join(images, name), 65534, 65534);
  const pages = join(images, "pages-1.img");
  const own = readFileSync(pages);
  for (const [make, words] of [
    [symlinkSync, "it is a link"],
    [linkSync, "it is not alone the file"],
  ] as const) {
    writeFileSync(victim, Buffer.concat([own, content]));
    rmSync(pages);
    make(victim, pages);
    const refused = await report(stage, "restore", images, ["--auto-dedup"]);
    expect(refused).toMatchObject({ exit: 3, run: null });
    expect(finding(refused, "auto-dedup").message).toContain(words);
    expect(statSync(victim).blocks * 512).toBeGreaterThan(own.length);
  }
  // Put there while CRIU restores: it is another file than the one that was looked at.
  rmSync(pages);
  writeFileSync(pages, own);
  chownSync(pages, 65534, 65534);
  const script = join(stage.dir, "script");
  const swap = `[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || ln -sf ${victim} ${pages}`;
  writeFileSync(script, `#!/bin/sh\n${swap}\n`, { mode: 0o755 });
  const before = statSync(victim).blocks;
  const done = await report(stage, "restore", images, ["--auto-dedup", "--action-script", script]);
  expect(realpathSync(pages)).toBe(realpathSync(victim));
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.notes.join()).toContain("it is a link");
  expect(statSync(victim).blocks).toBe(before);
  await killTree(stage, pid);
});

/** Punch a part of a pages image out, as a restore that is killed half-way does. */
function punch(images: string, file: string, offset: number, length: number): void {
  const words = ["-p", "-o", `${offset}`, "-l", `${length}`, join(images, file)];
  if (!Bun.spawnSync(["fallocate", ...words]).success) throw new Error(`fallocate ${words}`);
}

test("pages-short: images that a restore has consumed", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const lost = copy(stage, images, "lost");
  const refused = ["--auto-dedup", "--action-script", veto(stage)];
  expect((await restoreBare(stage, lost, refused)).exit).toBe(1);
  const named = await stageCheck({ id: "pages-short", stage, images: lost, exit: 6 });
  expect(named).toMatchObject({
    severity: "blocker",
    criu_message: expect.stringMatching(/^vdso: .*ELF.* magic/),
  });
  expect(named.message).toContain("are holes");
  expect((await recriu(stage, ["restore", "-D", lost])).exit).toBe(6);

  // A copy with holes for its pages of zeros is whole.
  const sparse = join(stage.dir, "sparse");
  await run(stage, ["cp", "-r", "--sparse=always", images, sparse]);
  expect(blocks(sparse)).not.toEqual(blocks(images));
  await restores(stage, sparse);
  await killTree(stage, pid);
});

test("pages-short: what went half-way, from the lowest address on", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const opened = openCheckpoint(images);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const { checkpoint } = opened;
  const contents = checkpoint.contents(`pagemap-${pid}.img`, false);
  const name = contents[0]!.file.slice(images.length + 1);
  const { thread } = registersOf(checkpoint.root!.core)!;
  const block = contents.find(({ page, pages }) => Number(thread >> 12n) < page + pages)!;
  // CRIU restores it, and the program dies at its first look.
  const half = copy(stage, images, "half");
  punch(half, name, 0, block.offset + block.pages * 4096);
  const named = finding(await report(stage, "restore", half), "pages-short");
  expect(named).toMatchObject({ severity: "blocker", subject: name, criu_message: null });
  expect((await restoreBare(stage, half)).exit).toBe(0);
  await killTree(stage, pid);
  // Only the program's own data: it may be so.
  const less = copy(stage, images, "less");
  punch(less, name, 0, contents[0]!.pages * 4096);
  const doubtful = await report(stage, "preflight", less);
  expect(doubtful).toMatchObject({
    exit: 0,
    findings: [{ id: "pages-short", severity: "warning" }],
  });
  // In a parent.
  const older = copy(stage, half, "older");
  const newer = copy(stage, images, "newer");
  symlinkSync(older, join(newer, "parent"));
  edit(newer, `pagemap-${pid}.img`, ([, ...runs]) => {
    for (const each of runs) Object.assign(each, { flags: 1, in_parent: true });
  });
  const inParent = finding(await report(stage, "preflight", newer), "pages-short");
  expect(inParent.message).toContain(`${newer}/parent/${name}`);
});
