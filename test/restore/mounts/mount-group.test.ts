import { report, type Report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { typed } from "../typed.ts";
import { dumpShared, madeTheOldWay, typedTheOldWay } from "./mounts.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Before 4.1.1 CRIU may not be able to make a shared mount at all, which only the kernel's updates tell: mount-propagation. */
const grouped = ({ findings }: Report) => findings.filter(({ id }) => id !== "mount-propagation");

test("mount-group: one mount in two places, made from two", async () => {
  await using stage = openStage();
  const { images, from, one, two, narrow } = await dumpShared(stage, true);
  for (const plain of [from(one, one), from(narrow, one)])
    expect(grouped(await report(stage, "preflight", images, plain))).toEqual([]);
  expect((await madeTheOldWay(stage, images, "mount-group", from(one, two))).subject).toBe("/one");
  await typedTheOldWay(stage, images, from(one, two), (told, how) =>
    typed(stage, told, "mount-group", how),
  );
  await madeTheOldWay(stage, images, "mount-group", from(one, narrow));
  const pidfile = join(stage.dir, "pid");
  const options = [...from(one, narrow), "--pidfile", pidfile];
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "mount-group", { options })).exit).toBe(0);
  await killTree(stage, Number(readFileSync(pidfile, "utf8")));
  await restored(stage, images, { options: from(narrow, one) });
});

test("mount-group: one mount in two places, neither in the other", async () => {
  await using stage = openStage();
  const whole = join(stage.dir, "whole");
  const [one, two] = [join(whole, "a"), join(whole, "b")];
  for (const directory of [one, two]) mkdirSync(directory, { recursive: true });
  const inside = (name: string) => join(stage.dir, "root/whole", name);
  for (const name of ["a", "b"]) mkdirSync(inside(name), { recursive: true });
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["shared", whole, "/whole"],
      ["bind", inside("a"), "/one"],
      ["bind", inside("b"), "/two"],
      ["unmount", "none", "/whole"],
    ],
    options: ["--external", "mnt[/one]:one", "--external", "mnt[/two]:two"],
  });
  const from = ["--external", `mnt[one]:${one}`, "--external", `mnt[two]:${two}`];
  const named = await madeTheOldWay(stage, images, "mount-group", [...options, ...from]);
  expect(named.message).toContain("neither of which was in the other");
});
