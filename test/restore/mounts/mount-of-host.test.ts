import { report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { changed, inBare, told } from "./mount-host.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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
