/** What the images alone give the tree of this machine: seen inside a tree that bare CRIU restored without a word. */
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { restored } from "./stage-check.ts";
import { type Finding, report } from "./report.ts";
import { descendants, killTree, openStage, restoreBare, type Stage } from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";

const told = (findings: Finding[], id: string) =>
  findings
    .filter((each) => each.id === id)
    .map(({ severity, subject, message }) => ({ severity, subject, message }))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));

/** A copy of images in which the mount at `at` is changed. */
function changed(stage: Stage, images: string, name: string, at: string, change: object): string {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  const file = readdirSync(copy).find((entry) => entry.startsWith("mountpoints"))!;
  edit(copy, file, (mounts) =>
    Object.assign(
      mounts.find(({ mountpoint }) => mountpoint === at),
      change,
    ),
  );
  return copy;
}

/** Restored by CRIU alone with exit 0: the root of its tree as this machine sees it, while `use` looks at it. */
async function inBare(
  stage: Stage,
  images: string,
  options: string[],
  use: (root: string) => void,
): Promise<void> {
  const bare = await restoreBare(stage, images, options);
  expect([bare.exit, bare.errors.slice(1)]).toEqual([0, []]);
  const init = descendants(stage.supervisor.pid).at(-1)!;
  use(`/proc/${init.pid}/root`);
  await killTree(stage, init.pid);
}

test("mount-of-host: file systems of the kernel, whichever the container", async () => {
  await using stage = openStage();
  const mounts: [string, string, string][] = ["sysfs", "devtmpfs", "debugfs"].map((type) => [
    type,
    "none",
    `/${type}`,
  ]);
  mounts.push(["tmpfs", "none", "/tmp"], ["proc", "none", "/proc"]);
  const { images, options } = await dumpContainer(stage, { mounts });
  const shown = (kind: string, what: string) => ({
    severity: "warning",
    subject: `/${kind}`,
    message: `/${kind} will be this machine's ${what} (${kind})`,
  });
  const preflight = await report(stage, "preflight", images, options);
  expect(preflight.exit).toBe(0);
  expect(told(preflight.findings, "mount-of-host")).toEqual([
    shown("debugfs", "kernel"),
    shown("devtmpfs", "devices"),
    shown("sysfs", "devices and kernel"),
  ]);
  await inBare(stage, images, options, (root) => {
    for (const device of ["null", "random"])
      expect(statSync(join(root, "devtmpfs", device)).rdev).toBe(statSync(`/dev/${device}`).rdev);
    expect(existsSync(join(root, "sysfs/kernel"))).toBe(true);
  });
  const readOnly = changed(stage, images, "read-only", "/sysfs", { flags: 0x200001 });
  const { findings } = await report(stage, "preflight", readOnly, options);
  expect(told(findings, "mount-of-host")).toContainEqual({
    severity: "info",
    subject: "/sysfs",
    message: "/sysfs will be this machine's devices and kernel (sysfs); read-only",
  });
});

test("mount-of-host: an overlay reads and writes directories that nobody here named", async () => {
  await using stage = openStage();
  const [lower, upper, work] = ["lower", "upper", "work"].map((dir) => join(stage.dir, dir));
  for (const dir of [lower!, upper!, work!]) mkdirSync(dir);
  writeFileSync(join(lower!, "secret"), "of this machine");
  const mounts: [string, string, string][] = [["tmpfs", "none", "/tmp"]];
  const { images, options } = await dumpContainer(stage, { mounts });
  expect(await report(stage, "preflight", images, options)).toMatchObject({ findings: [] });
  const dirs = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`];
  const overlay = changed(stage, images, "overlay", "/tmp", {
    fstype: 17,
    source: "overlay",
    options: dirs.join(","),
  });
  expect(
    told((await report(stage, "preflight", overlay, options)).findings, "mount-of-host"),
  ).toEqual([
    {
      severity: "warning",
      subject: "/tmp",
      message: `/tmp will be an overlay of directories of this machine, of which it writes into the upper one: ${dirs.join(" ")}`,
    },
  ]);
  await inBare(stage, overlay, options, (root) => {
    expect(readFileSync(join(root, "tmp/secret"), "utf8")).toBe("of this machine");
    writeFileSync(join(root, "tmp/written"), "by the tree");
  });
  expect(readFileSync(join(upper!, "written"), "utf8")).toBe("by the tree");
  await restored(stage, images, { options });
});

test("mount-of-host: the device of --root, whole, under another path of it", async () => {
  await using stage = openStage();
  const mounts: [string, string, string][] = [["tmpfs", "none", "/tmp"]];
  const { images, options, root } = await dumpContainer(stage, { mounts });
  const { dev } = statSync(root);
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((each) => each.split(" "))
    .find(([, , device]) => device === `${dev >> 8}:${dev & 0xff}`);
  // On a file system without a device this cannot be staged.
  if (line === undefined || dev >> 8 === 0) return;
  const [type, source] = line.slice(line.indexOf("-") + 1);
  const whole = changed(stage, images, "whole", "/tmp", {
    fstype: 16,
    fsname: type,
    root_dev: ((dev >> 8) << 20) | (dev & 0xff),
    source,
    options: "ro",
  });
  const { findings } = await report(stage, "preflight", whole, options);
  expect(told(findings, "mount-of-host")).toMatchObject([
    { severity: "warning", message: `/tmp will be the ${type} on this machine's ${source}` },
  ]);
});

test("mount-outside: a path that leads upwards, a link on the way", async () => {
  await using stage = openStage();
  const outside = join(stage.dir, "outside");
  mkdirSync(join(outside, "inner"), { recursive: true });
  writeFileSync(join(outside, "inner/secret"), "of this machine");
  const part = join(stage.dir, "root/part/inner");
  mkdirSync(part, { recursive: true });
  const { images, options, root } = await dumpContainer(stage, {
    mounts: [["bind", part, "/again"]],
  });
  expect(await report(stage, "preflight", images, options)).toMatchObject({ findings: [] });

  const upwards = changed(stage, images, "upwards", "/again", {
    root: `${root}/../../..${outside}/inner`,
  });
  const seen = (at: string) =>
    expect(readFileSync(join(at, "again/secret"), "utf8")).toBe("of this machine");
  const blocked = async (dir: string, why: string, exit = 3) => {
    const done = await report(stage, "restore", dir, options);
    expect(done).toMatchObject({ exit, run: null });
    expect(told(done.findings, "mount-outside")).toMatchObject([
      { severity: "blocker", subject: "/again", message: expect.stringContaining(why) },
    ]);
  };
  // No dump writes such a path: image-forged says so, too.
  await blocked(upwards, "leads upwards", 6);
  await inBare(stage, upwards, options, seen);

  renameSync(join(root, "part"), join(root, "part.aside"));
  symlinkSync(outside, join(root, "part"));
  await blocked(images, "/part is a link");
  await inBare(stage, images, options, seen);
});
