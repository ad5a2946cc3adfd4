/** What tasks hold of the kernel's, and limits of this machine that stop it from coming back. */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { restored, stageCheck } from "./stage-check.ts";
import { blockers, finding, report } from "./report.ts";
import {
  criu,
  dump,
  killTree,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";

async function dumpOf(stage: Stage, ...args: string[]) {
  const { pid } = await start(stage, "kernel", args);
  return { pid, images: await dump(stage, pid) };
}

/** A setting of this machine until the callback ends. */
async function withSetting<T>(name: string, value: number, use: () => Promise<T>): Promise<T> {
  const file = `/proc/sys/${name}`;
  const before = readFileSync(file, "utf8");
  writeFileSync(file, `${value}`);
  try {
    return await use();
  } finally {
    writeFileSync(file, before);
  }
}

function changed(
  stage: Stage,
  images: string,
  name: string,
  file: string,
  change: (values: any[]) => void,
) {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  edit(copy, file, change);
  return copy;
}

test("aio-limit: too few events for all, and a ring of another machine", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "aio", "64");
  const used = Number(readFileSync("/proc/sys/fs/aio-nr", "utf8"));
  const named = await withSetting("fs/aio-max-nr", used, async () => {
    const told = await report(stage, "preflight", images);
    const found = await stageCheck({ id: "aio-limit", stage, images, among: true });
    expect((await typed(stage, told, "aio-limit")).exit).toBe(0);
    await restored(stage, images);
    await killTree(stage, pid);
    return found;
  });
  expect(named).toMatchObject({ task: pid, subject: "fs.aio-max-nr" });
  expect(named.remedy.command).toMatch(/^sysctl -w fs\.aio-max-nr=\d+$/);
  const many = changed(stage, images, "many", `mm-${pid}.img`, ([mm]) => (mm.aios[0].nr_req *= 16));
  expect(
    (await stageCheck({ id: "aio-limit", stage, images: many, among: true })).message,
  ).toContain("8192 bytes");
  await restored(stage, images);
});

test("inotify-limit and watch-path-missing", async () => {
  await using stage = openStage();
  const watched = join(stage.dir, "watched");
  mkdirSync(watched);
  // IN_CREATE: of the entries of a directory.
  const { pid, images } = await dumpOf(stage, "inotify", "3", watched, "100");
  for (const name of ["fs/inotify/max_user_instances", "fs/inotify/max_user_watches"]) {
    await withSetting(name, 2, async () => {
      const named = await stageCheck({ id: "inotify-limit", stage, images, among: true });
      expect(named.subject).toBe(name.replaceAll("/", "."));
      const told = await report(stage, "preflight", images);
      expect((await typed(stage, told, "inotify-limit")).exit).toBe(0);
      await restored(stage, images);
      await killTree(stage, pid);
    });
  }
  rmdirSync(watched);
  const gone = await stageCheck({ id: "watch-path-missing", stage, images, among: true });
  expect(gone).toMatchObject({ task: pid, subject: watched });
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "watch-path-missing")).exit).toBe(0);
  await restored(stage, images);
});

test("watch-path-missing: a file is not put back as a directory", async () => {
  await using stage = openStage();
  const watched = join(stage.dir, "watched");
  writeFileSync(watched, "");
  const { images } = await dumpOf(stage, "inotify", "1", watched);
  rmSync(watched);
  const { remedy } = await stageCheck({ id: "watch-path-missing", stage, images, among: true });
  expect(remedy.command).toBeNull();
  expect(remedy.text).toContain("whether that was a directory or a file");
  writeFileSync(watched, "");
  await restored(stage, images);
});

const resource =
  (BigInt(`0x${/^CapEff:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))![1]}`) >> 24n) &
  1n;

// Who has CAP_SYS_RESOURCE may make pipes of any size, and so may the CRIU that inherits it: nothing to see then.
test.if(resource === 0n)("pipe-size: larger than fs.pipe-max-size", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage, "pipe", "1048576");
  await withSetting("fs/pipe-max-size", 65536, async () => {
    const named = await stageCheck({ id: "pipe-size", stage, images, among: true });
    expect(named.remedy.command).toBe("sysctl -w fs.pipe-max-size=1048576");
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "pipe-size")).exit).toBe(0);
    await restored(stage, images);
  });
});

test("memfd-executable: vm.memfd_noexec of the pid namespace", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "memfd");
  // The setting belongs to a pid namespace: in one of its own it changes nothing for others.
  const among = (value: number) => [
    "unshare",
    "--pid",
    "--fork",
    "--mount-proc",
    "sh",
    "-c",
    `echo ${value} >/proc/sys/vm/memfd_noexec; "$@"; exit $?`,
    "sh",
  ];
  const inside = (value: number, ...argv: string[]) => run(stage, [...among(value), ...argv]);
  const preflight = ["preflight", "-D", images, "--json", `--criu=${criu}`];
  const bare = [criu, "restore", "-d", "-D", images, "-W", stage.dir, "-o", "-", "-v4"];
  for (const value of [1, 2]) {
    const told = JSON.parse((await inside(value, recriuBinary, ...preflight)).stdout);
    expect(blockers(told)).toEqual(["memfd-executable"]);
    const failed = await inside(value, ...bare);
    expect(failed.exit).toBe(1);
    expect(failed.stdout).toContain(finding(told, "memfd-executable").criu_message!);
  }
  expect(blockers(JSON.parse((await inside(0, recriuBinary, ...preflight)).stdout))).toEqual([]);
  expect((await inside(0, ...bare)).exit).toBe(0);
  await killTree(stage, pid);
  const told = JSON.parse((await inside(1, recriuBinary, ...preflight)).stdout);
  const here = { under: among(1), thenRestore: true } as const;
  expect((await typed(stage, told, "memfd-executable", here)).exit).toBe(0);
});

test("file-owner-missing: an owner outside the tree that is gone", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage, "owner");
  const gone = changed(stage, images, "gone", "files.img", (files) => {
    for (const { usk } of files) if (usk?.fown.pid) usk.fown.pid = 4_190_000;
  });
  const named = await stageCheck({ id: "file-owner-missing", stage, images: gone, among: true });
  expect(named.message).toContain("4190000");
  await restored(stage, images);
});

test("arch-mismatch, sigactions-count: images of another machine, or damaged", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "threads");
  const core = `core-${pid}.img`;
  const arm = changed(stage, images, "arm", core, ([entry]) => (entry.mtype = 3));
  expect(await stageCheck({ id: "arch-mismatch", stage, images: arm, among: true })).toMatchObject({
    subject: "aarch64",
  });
  const few = changed(stage, images, "few", core, ([entry]) => entry.tc.sigactions.pop());
  await stageCheck({ id: "sigactions-count", stage, images: few, among: true });
  await restored(stage, images);
});

test("cpu-features: --cpu-cap needs cpuinfo.img", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "threads");
  const options = ["--cpu-cap=ins"];
  await stageCheck({ id: "cpu-features", stage, images, options, among: true });
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "cpu-features", { options })).exit).toBe(0);
  await killTree(stage, pid);
  // With it the processor is the same one here.
  const { pid: again } = await start(stage, "kernel", ["threads"]);
  const saved = await dump(stage, again, ["--cpu-cap=ins"]);
  const preflight = await report(stage, "preflight", saved, ["--cpu-cap=ins"]);
  expect(preflight.findings.filter(({ id }) => id === "cpu-features")).toEqual([]);
  const better = changed(stage, saved, "better", "cpuinfo.img", ([{ x86_entry }]) => {
    x86_entry[0].capability[6] |= 1 << 21; // TBM, which only processors of 2012 have
  });
  const warned = await report(stage, "preflight", better, ["--cpu-cap=ins"]);
  expect(finding(warned, "cpu-features")).toMatchObject({
    severity: "warning",
    // A kernel may hide more than that.
    subject: expect.stringContaining("tbm"),
  });
  const bare = await restoreBare(stage, better, ["--cpu-cap=ins"]);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(warned, "cpu-features").criu_message!);
  await restored(stage, better);
});

test("gpu-missing: with no directory of plugins CRIU restores without a word", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, "threads");
  const cuda = changed(stage, images, "cuda", "inventory.img", ([inventory]) => {
    inventory.plugins_entry = { plugins: ["cuda_plugin"] };
  });
  const silent = await report(stage, "preflight", cuda);
  expect(finding(silent, "gpu-missing").severity).toBe("warning");
  await restored(stage, cuda);
  await killTree(stage, pid);
});
