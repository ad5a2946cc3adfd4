/** The directory that CRIU is given in place of the images: complete wherever they are, and gone afterwards. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { contents, scriptAt, shadows } from "./shadow.ts";
import {
  criu,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  run,
  type Stage,
  undo,
  waitFor,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";

/** Images that need an edit: a real-time thread without its priority. */
const spoil = (images: string, pid: number) =>
  edit(images, `core-${pid}.img`, ([core]) =>
    Object.assign(core.thread_core, { sched_policy: 1, sched_prio: undefined }),
  );

async function spoiled(stage: Stage) {
  const { pid, images } = await startDumped(stage, "memory", ["plain"]);
  spoil(images, pid);
  return { pid, images };
}

const restored = { exit: 0, plan: { edits: [{ to: 1 }] }, verdict: { result: "match" } };

test("log, pid file and statistics are where they would be without it", async () => {
  await using stage = openStage();
  const { pid, images } = await spoiled(stage);
  const words = ["-o", "restore.log", "--pidfile", "pid"];
  expect(await report(stage, "restore", images, words)).toMatchObject(restored);
  for (const name of ["restore.log", "pid", "stats-restore"])
    expect(existsSync(join(images, name))).toBe(true);
  await killTree(stage, pid);
  // The same from inside the directory, with a relative path, and with a work directory of the user's own.
  for (const name of ["restore.log", "pid", "stats-restore"]) rmSync(join(images, name));
  const own = join(stage.dir, "own");
  mkdirSync(own);
  const argv = [recriuBinary, "restore", "-d", "-D.", "-W../own", ...words, `--criu=${criu}`];
  expect((await run(stage, argv, { cwd: images })).exit).toBe(0);
  expect(readdirSync(own).sort()).toEqual(["pid", "restore.log", "stats-restore"]);
  expect(existsSync(join(images, "pid"))).toBe(false);
  expect(shadows(stage.dir)).toEqual([]);
});

test("images on a read-only mount, and images that are a mount themselves", async () => {
  await using stage = openStage();
  const { pid, images } = await spoiled(stage);
  const mount = join(stage.dir, "mount");
  mkdirSync(mount);
  await run(stage, ["mount", "-t", "tmpfs", "none", mount]);
  const inside = join(mount, "images");
  cpSync(images, inside, { recursive: true });
  await run(stage, ["mount", "-o", "remount,ro", mount]);
  expect(() => writeFileSync(join(mount, "file"), "")).toThrow("read-only");
  const before = shadows("/run");
  const seen = scriptAt(stage, "pre-restore", `readlink "$CRTOOLS_IMAGE_DIR" >${stage.dir}/place`);
  const options = ["-W", stage.dir, "--action-script", seen];
  expect(await report(stage, "restore", inside, options)).toMatchObject(restored);
  expect(await Bun.file(join(stage.dir, "place")).text()).toStartWith("/run/.recriu-");
  expect(shadows("/run")).toEqual(before);
  await killTree(stage, pid);

  await run(stage, ["umount", mount]);
  await run(stage, ["mount", "--bind", images, mount]);
  expect(await report(stage, "restore", mount, options)).toMatchObject(restored);
  expect(await Bun.file(join(stage.dir, "place")).text()).toStartWith(`${stage.dir}/.recriu-`);
  expect(shadows(stage.dir)).toEqual([]);
});

test("an incremental checkpoint, whose link to its parent is relative", async () => {
  await using stage = openStage();
  const { pid, images } = await spoiled(stage);
  // As a second dump with --prev-images-dir leaves it when no page has changed (test/restore/pages.test.ts).
  const [older, newer] = [join(stage.dir, "older"), join(stage.dir, "newer")];
  mkdirSync(older);
  cpSync(images, newer, { recursive: true });
  for (const file of [`pagemap-${pid}.img`, "pages-1.img"])
    cpSync(join(images, file), join(older, file));
  writeFileSync(join(newer, "pages-1.img"), "");
  symlinkSync("../older", join(newer, "parent"));
  edit(newer, `pagemap-${pid}.img`, ([, ...runs]) => {
    for (const entry of runs) Object.assign(entry, { flags: 1, in_parent: true });
  });
  // Reached by a link, as from another directory.
  symlinkSync(newer, join(stage.dir, "link"));
  expect(await report(stage, "restore", join(stage.dir, "link"))).toMatchObject(restored);
});

test("a tree with a root of its own reads the images from inside it", async () => {
  await using stage = openStage();
  const { images, options } = await dumpContainer(stage);
  spoil(images, 1);
  expect(await report(stage, "restore", images, options)).toMatchObject(restored);
  expect(shadows(stage.dir)).toEqual([]);
});

test("called as criu, recriu gives CRIU the same", async () => {
  await using stage = openStage();
  const { pid, images } = await spoiled(stage);
  const link = join(stage.dir, "criu");
  symlinkSync(recriuBinary, link);
  const argv = [link, "restore", "-d", "-D", images, "-o", "restore.log", "-v4"];
  const done = await run(stage, argv, { env: { RECRIU_CRIU: criu, NO_COLOR: "1" } });
  expect(done.exit).toBe(0);
  expect((await run(stage, ["chrt", "-p", `${pid}`])).stdout).toContain("priority: 1\n");
  expect(existsSync(join(images, "restore.log"))).toBe(true);
  await waitFor("the shadow to be gone", () => shadows(stage.dir).length === 0);
});

const recriusPid = "$(awk '{print $4}' /proc/$PPID/stat)";

test("it is gone when CRIU fails, and when recriu is stopped", async () => {
  await using stage = openStage();
  const { images } = await spoiled(stage);
  const before = contents(images);
  const attempt = (point: string, command: string) =>
    report(stage, "restore", images, [
      "-W",
      stage.dir,
      "--action-script",
      scriptAt(stage, point, `ls -d ${stage.dir}/.recriu-* >>${stage.dir}/there; ${command}`),
    ]);
  expect((await attempt("pre-restore", "exit 1")).exit).toBe(1);
  expect((await attempt("post-restore", "exit 1")).exit).toBe(1);
  const stopped = await attempt("post-restore", `kill -TERM ${recriusPid}; sleep 0.5`);
  expect(stopped.exit).toBe(128 + constants.signals.SIGTERM);
  expect((await Bun.file(join(stage.dir, "there")).text()).trim().split("\n").length).toBe(3);
  expect(shadows(stage.dir)).toEqual([]);
  expect(contents(images)).toEqual(before);
});

for (const by of ["the next recriu", "recriu undo"]) {
  test(`a killed recriu's is removed by ${by}`, async () => {
    await using stage = openStage();
    const { pid, images } = await spoiled(stage);
    const script = scriptAt(stage, "pre-restore", `kill -9 ${recriusPid}; exit 1`);
    const words = ["-W", stage.dir, "--action-script", script];
    const killed = await recriu(stage, ["restore", "-d", "-D", images, ...words]);
    expect(killed.exit).toBe(137);
    expect(shadows(stage.dir).length).toBe(1);
    if (by === "recriu undo") expect(await undo(stage)).toMatchObject({ exit: 0 });
    else expect(await report(stage, "restore", images)).toMatchObject(restored);
    expect(shadows(stage.dir)).toEqual([]);
    await killTree(stage, pid);
    expect((await undo(stage)).exit).toBe(0);
  });
}
