/** What is no restore: the real CRIU finds everything as if it had been called. */
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../restore/stage/compile.ts";
import { criu, openStage, recriuBinary, run } from "../restore/stage.ts";
import { asCriu, link } from "./as-criu.ts";

const comparable = (text: string) => text.replaceAll(/\/run-\d+\./g, "/run.").split("\n");

test("words, environment, descriptors, signals and limits are those that were given", async () => {
  await using stage = openStage();
  const probe = compile("inherit");
  const words = ["dump", "-t", "", "--x=\u00e4", "--", "-v4"];
  const env = { RECRIU_CRIU: probe, BUN_OURS: "0", NODE_OPTIONS: "-r x", A: "1" };
  const given = await run(stage, [probe, "to", link(stage), ...words], { env });
  const bare = await run(stage, [probe, "to", probe, ...words], { env });
  expect(comparable(given.stdout)).toEqual(comparable(bare.stdout));
  expect(given).toMatchObject({ exit: 7, stderr: "" });
  // What the probe can tell apart.
  for (const told of [
    "fd 5 /dev/zero",
    "fd 30 /dev/zero",
    "fd 9 anon_inode:[eventpoll]",
    "limit 7 4d2 ",
  ])
    expect(given.stdout).toContain(told);
  expect(given.stdout).toMatch(/SigIgn:\s+0000000000000202\n/);
  expect(given.stdout).toMatch(/SigBlk:\s+0000000000010800\n/);
});

test("a restore waits as it was started: nothing of what it was given is changed", async () => {
  await using stage = openStage();
  const probe = compile("inherit");
  const env = { RECRIU_CRIU: probe, BUN_OURS: "0", RECRIU_FRONT: "aaaaaaabaaaaaaadaaaaaaaa" };
  const before = 'ulimit -Sn 100; trap "" PIPE XFSZ; exec "$@" 5</dev/zero <&-';
  const by = (program: string) =>
    run(stage, ["sh", "-c", before, "sh", program, "restore", "--stream", "-D", "\u00e4"], { env });
  const [given, bare] = [await by(link(stage)), await by(probe)];
  expect(given).toEqual({ ...bare, stdout: given.stdout });
  expect(comparable(given.stdout)).toEqual(comparable(bare.stdout));
  expect(given.stdout).toMatch(/SigIgn:\s+0000000001001000\n/);
  expect(given.stdout).toContain("limit 7 64 ");
  expect(given.stdout).not.toContain("fd 0 ");
});

test("it is the same process", async () => {
  await using stage = openStage();
  const script = 'echo $$ >pid; exec "$@"';
  const env = { RECRIU_CRIU: "/bin/sh" };
  const argv = ["sh", "-c", script, "sh", link(stage), "-c", 'test $$ = "$(cat pid)" && echo same'];
  expect(await run(stage, argv, { env })).toMatchObject({ exit: 0, stdout: "same\n" });
});

test("the real CRIU answers: version, help, commands, refusals, exit codes", async () => {
  await using stage = openStage();
  for (const words of [
    ["--version"],
    ["-V"],
    ["--help"],
    [],
    ["frobnicate"],
    ["dump"],
    ["restore", "--dry-run"],
    ["restore", "--nonsense"],
    ["dump", "restore"],
    ["swrk"],
    ["swrk", "3"],
    ["cpuinfo"],
    ["restore", "-h"],
    ["restore", "-D", "/nonexistent"],
  ]) {
    const bare = await run(stage, [criu, ...words]);
    const { exit, stdout, stderr } = await asCriu(stage, words);
    const named = (text: string) => text.replaceAll(link(stage), criu);
    expect({ words, exit, stdout, stderr: named(stderr) }).toEqual({ words, ...bare });
  }
});

test("the real CRIU is found, and recriu never takes itself for it", async () => {
  await using stage = openStage();
  const dir = (name: string) => {
    const path = join(stage.dir, name);
    mkdirSync(path);
    return path;
  };
  const [links, copies, real] = [dir("links"), dir("copies"), dir("real")];
  symlinkSync(recriuBinary, join(links, "criu"));
  copyFileSync(recriuBinary, join(copies, "criu"));
  const { stdout: version } = await run(stage, [criu, "--version"]);
  symlinkSync(criu, join(real, "criu"));
  const path = `${links}:${copies}:${real}:/usr/bin:/bin`;
  const found = await asCriu(stage, ["--version"], { env: { RECRIU_CRIU: "", PATH: path } });
  expect(found).toEqual({ exit: 0, stdout: version, stderr: "" });
  const itself = join(copies, "criu");
  const refused = await asCriu(stage, ["--version"], { env: { RECRIU_CRIU: itself } });
  expect(refused).toEqual({
    exit: 1,
    stdout: "",
    stderr: `recriu: the real CRIU is not found: ${itself} is a copy of recriu (named by RECRIU_CRIU)\n`,
  });
});
