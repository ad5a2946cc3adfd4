import { forky, isBefore42 } from "../criu.ts";
import { blockers, finding, report, sameWords } from "../report.ts";
import { edit } from "../edit.ts";
import { copyOf, startDumped } from "../stage/dumped.ts";
import { stageCheck } from "../stage-check.ts";
import { criu, killTree, openStage, run, type Stage } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";

test("unix-socket-unwritable: the directory is immutable", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  const { pid, images } = await startDumped(stage, "objects", ["dgram", join(dir, "a")]);
  rmSync(join(dir, "a"));
  const mark = async (word: string) =>
    expect((await run(stage, ["chattr", word, dir])).stderr).toBe("");
  await mark("+i");
  try {
    const named = await stageCheck({
      id: "unix-socket-unwritable",
      stage,
      images,
      pid,
      subject: dir,
      mend: "typed",
    });
    expect(named.remedy.command).toBe(`chattr -i ${dir}`);
  } finally {
    await run(stage, ["chattr", "-i", dir]);
  }
});

test("unix-socket-unwritable: the file system is read-only", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const { pid, images } = await startDumped(stage, "objects", ["dgram", join(dir, "a")]);
  rmSync(join(dir, "a"));
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  const named = await stageCheck({
    id: "unix-socket-unwritable",
    stage,
    images,
    pid,
    subject: dir,
    mend: "typed",
  });
  expect(named.criu_message).toContain("Read-only file system");
});

const sockets = "/run/recriu-test/app";

/** A container with its socket in a mount of that type, which is read-only from then on. */
const closedContainer = (stage: Stage, type: string, source: string, options: string[] = []) =>
  dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      [type, source, sockets],
      ["readonly", "none", sockets],
    ],
    options,
  });

/** What is in `mended` of the verdict. */
const mendedAs = (at: string) => [
  { class: "mended", expected: `mount at ${at}: ro relatime`, found: "relatime" },
];

test("unix-socket-unwritable: a mount of the tree's own was made read-only when it was bound", async () => {
  await using stage = openStage();
  const { images, options } = await closedContainer(stage, "tmpfs", "none");
  const named = await stageCheck({
    id: "unix-socket-unwritable",
    stage,
    images,
    options,
    subject: sockets,
    mend: "edited",
  });
  expect(named.criu_message).toContain("Read-only file system");
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.verdict!.differences).toMatchObject(mendedAs(sockets));
  await killTree(stage, done.run!.pid!);
  // With another mount at the same place it could not be told which one is which.
  const copy = copyOf(stage, images, "covered");
  const file = readdirSync(images).find((name) => name.startsWith("mountpoints"))!;
  edit(copy, file, (mounts) => {
    mounts.find(({ mountpoint }: any) => mountpoint.endsWith("/proc")).mountpoint = `.${sockets}`;
  });
  const covered = finding(
    await report(stage, "preflight", copy, options),
    "unix-socket-unwritable",
  );
  expect(covered.remedy).toMatchObject({ kind: "human", command: null });
});

test("unix-socket-unwritable: a mount of this machine's is read-only in the tree alone", async () => {
  await using stage = openStage();
  const there = join(stage.dir, "there");
  mkdirSync(there);
  const key = ["--external", `mnt[${sockets}]:KEY`];
  const { images, options } = await closedContainer(stage, "bind", there, key);
  const asked = [...options, "--external", `mnt[KEY]:${there}`];
  rmSync(join(there, "sock"));
  await stageCheck({
    id: "unix-socket-unwritable",
    stage,
    images,
    options: asked,
    subject: sockets,
    mend: "edited",
  });
  expect(existsSync(join(there, "sock"))).toBe(true);
});

const by = isBefore42 ? forky : criu;

// CRIU 4.2 was the first to give a root its flags; a system has no other than its own.
test.skipIf(!existsSync(by))("unix-socket-unwritable: the root was made read-only", async () => {
  await using stage = openStage();
  const mounts: [string, string, string][] = [
    ["proc", "none", "/proc"],
    ["readonly", "none", "/"],
  ];
  const { images, options, root, socket } = await dumpContainer(stage, { mounts });
  rmSync(join(root, socket));
  const given = [...options, `--criu=${by}`];
  const preflight = await report(stage, "preflight", images, [...given, "--fix=none"]);
  expect(blockers(preflight)).toEqual(["root-read-only", "unix-socket-unwritable"]);
  const { edits } = (await report(stage, "preflight", images, given)).plan;
  expect(edits.map(({ field }) => field)).toEqual(["flags"]);
  mkdirSync(join(root, "tmp"));
  const { criu_message } = finding(preflight, "unix-socket-unwritable");
  const bare = await run(stage, [by, "restore", "-d", "-D", images, ...options]);
  expect(bare.exit).toBe(1);
  expect(bare.stderr.split("\n").some((line) => sameWords(line, criu_message!))).toBe(true);
  rmdirSync(join(root, "tmp"));
  const done = await report(stage, "restore", images, given);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.verdict!.differences).toMatchObject(mendedAs("/"));
  await killTree(stage, done.run!.pid!);
});

test("unix-socket-unwritable: one whose file was deleted, which CRIU makes for the moment", async () => {
  await using stage = openStage();
  const there = join(stage.dir, "there");
  mkdirSync(there);
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["bind", there, sockets],
      ["readonly", "none", sockets],
    ],
    options: ["--external", `mnt[${sockets}]:KEY`],
    meanwhile: () => rmSync(join(there, "sock")),
  });
  const named = await stageCheck({
    id: "unix-socket-unwritable",
    stage,
    images,
    options: [...options, "--external", `mnt[KEY]:${there}`],
    mend: "edited",
  });
  expect(named.criu_message).toContain("ghost: Can't access");
  expect(existsSync(join(there, "sock"))).toBe(false);
});
