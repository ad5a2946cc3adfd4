/** Mounts of a tree with a mount namespace of its own: from outside, of devices, of file systems, and their places. */
import { explained, finding, report, sameWords } from "../report.ts";
import { killTree, restoreBare, type Stage } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A container with a directory and a file of the host mounted in it, and a tmpfs. */
export async function dumpWithMounts(stage: Stage) {
  const data = join(stage.dir, "data");
  const file = join(stage.dir, "hosts");
  mkdirSync(data);
  writeFileSync(file, "here\n");
  const dumped = await dumpContainer(stage, {
    mounts: [
      ["bind", data, "/data"],
      ["bind", file, "/etc/hosts"],
      ["tmpfs", "none", "/tmp"],
    ],
    options: ["--external", "mnt[/data]:data", "--external", "mnt[/etc/hosts]:hosts"],
  });
  const map = (dir: string, hosts = file) => [
    "--external",
    `mnt[data]:${dir}`,
    "--external",
    `mnt[hosts]:${hosts}`,
  ];
  return { ...dumped, data, file, map };
}

/** A container in which one directory is mounted twice, as one shared mount; with or without /proc. */
export async function dumpShared(stage: Stage, proc: boolean) {
  const [one, two, narrow] = ["a", "b", "a/narrow"].map((name) => join(stage.dir, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [one, two, narrow]) mkdirSync(directory);
  const inside = join(stage.dir, "root/one");
  mkdirSync(inside, { recursive: true });
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ...(proc ? ([["proc", "none", "/proc"]] as [string, string, string][]) : []),
      ["shared", one, "/one"],
      ["bind", inside, "/two"],
    ],
    options: ["--external", "mnt[/one]:one", "--external", "mnt[/two]:two"],
  });
  const from = (first: string, second: string) => [
    ...options,
    "--external",
    `mnt[one]:${first}`,
    "--external",
    `mnt[two]:${second}`,
  ];
  return { images, from, one, two, narrow };
}

/** Named with the option that recriu adds itself, without which CRIU fails, and with which it does not. */
export async function madeTheOldWay(stage: Stage, images: string, id: string, options: string[]) {
  const preflight = await report(stage, "preflight", images, options);
  expect(preflight).toMatchObject({ exit: 0, plan: { options: ["--mntns-compat-mode"] } });
  const named = finding(preflight, id);
  const bare = await restoreBare(stage, images, options);
  expect(bare.exit).toBe(1);
  expect(bare.errors.filter((line) => sameWords(line, named.criu_message!))).not.toEqual([]);
  explained(named);
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, done.run!.pid!);
  const kept = await report(stage, "preflight", images, [...options, "--no-mntns-compat-mode"]);
  expect(kept).toMatchObject({ exit: 3, plan: { options: [] } });
  return named;
}

/** The option, typed; then its tree is ended by the pid that CRIU notes. */
export async function typedTheOldWay(
  stage: Stage,
  images: string,
  options: string[],
  type: (told: Awaited<ReturnType<typeof report>>, how: object) => Promise<{ exit: number | null }>,
) {
  const told = await report(stage, "preflight", images, options);
  const pidfile = join(stage.dir, `pid-${++stage.count}`);
  expect((await type(told, { options: [...options, "--pidfile", pidfile] })).exit).toBe(0);
  await killTree(stage, Number(readFileSync(pidfile, "utf8")));
}
