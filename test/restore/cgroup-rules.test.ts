/** What cgroups must allow for a tree to come back in them. */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { restored, stageCheck } from "./stage-check.ts";
import { blockers, finding, report } from "./report.ts";
import {
  criu,
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";

import { bareUnder, reportUnder } from "./under.ts";

const v1 = (controller: string) =>
  hierarchies().find(
    ({ version, controllers }) => version === 1 && controllers.join() === controller,
  );
const v2 = hierarchies().find(({ version }) => version === 2)!;

async function dumpIn(stage: Stage, cgroup: string, args = ["threads"]) {
  const { pid } = await start(stage, "kernel", args, { cgroups: [cgroup] });
  return { pid, images: await dump(stage, pid) };
}

/** Removing a cgroup takes effect a little later in its parent. */
async function eventually(write: () => void): Promise<void> {
  for (let left = 500; ; left--)
    try {
      return write();
    } catch (error) {
      if (left === 0) throw error;
      await Bun.sleep(10);
    }
}

function changed(stage: Stage, images: string, name: string, change: (cgroup: any) => void) {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  edit(copy, "cgroup.img", ([cgroup]) => change(cgroup));
  return copy;
}

// Shares of processor time stand in cgroup v1's own controller only: without v1 there is nothing to stage.
test.if(v1("cpu") !== undefined)(
  "cgroup-property: more processor time than the parent has now",
  async () => {
    await using stage = openStage();
    const cgroup = makeCgroup(stage, v1("cpu")!, "above/workload");
    const above = join(cgroup, "..");
    for (const dir of [above, cgroup]) writeFileSync(join(dir, "cpu.cfs_quota_us"), "50000");
    const { pid, images } = await dumpIn(stage, cgroup);
    rmdirSync(cgroup);
    await eventually(() => writeFileSync(join(above, "cpu.cfs_quota_us"), "20000"));
    const named = await stageCheck({ id: "cgroup-property", stage, images, among: true });
    expect(named).toMatchObject({
      subject: `${cgroup}/cpu.cfs_quota_us`,
      remedy: { command: `mkdir -p ${cgroup}` },
    });
    expect(named.message).toContain("50% of a processor");
    rmdirSync(cgroup); // CRIU left it
    const told = await report(stage, "preflight", images);
    expect((await typed(stage, told, "cgroup-property")).exit).toBe(0);
    await restored(stage, images);
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toContain("/above/workload");
    await killTree(stage, pid);
    // In mode full CRIU writes into the one that is there.
    const full = await stageCheck({
      id: "cgroup-property",
      stage,
      images,
      options: ["--manage-cgroups=full"],
      among: true,
    });
    expect(full.remedy.command).toBe("--manage-cgroups=soft");
    await eventually(() => rmdirSync(cgroup));
    await restored(stage, images, { options: ["--manage-cgroups=ignore"] });
  },
);

test("cgroup-property: a file that this kernel's cgroups do not have", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { images } = await dumpIn(stage, cgroup);
  rmdirSync(cgroup);
  const copy = changed(stage, images, "memory", ({ controllers }) => {
    const unified = controllers.find(({ cnames }: any) => cnames[0] === "");
    unified.dirs[0].properties.push({ name: "memory.max", value: "1000000" });
  });
  const named = await stageCheck({ id: "cgroup-property", stage, images: copy, among: true });
  expect(named.subject).toBe(join(cgroup, "memory.max"));
  rmdirSync(cgroup);
  const told = await report(stage, "preflight", copy);
  expect((await typed(stage, told, "cgroup-property")).exit).toBe(0);
  await restored(stage, copy);
});

test("cgroup-missing: no more cgroups are allowed there", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "above/workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  rmdirSync(cgroup);
  writeFileSync(join(cgroup, "../cgroup.max.descendants"), "0");
  // recriu lets the tree stay where it is by itself, so it is a blocker only where the user wants it otherwise.
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "cgroup-missing")).toMatchObject({
    severity: "blocker",
    subject: cgroup,
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "cgroup-missing").criu_message!);
  expect((await typed(stage, preflight, "cgroup-missing")).exit).toBe(0);
  await killTree(stage, pid);
  writeFileSync(join(cgroup, "../cgroup.max.descendants"), "max");
  await restored(stage, images);
});

test("a hierarchy that only this mount of it makes read-only is no obstacle: CRIU mounts it for itself", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  const readOnly = `mount -o remount,bind,ro ${v2.mount} && exec "$@"`;
  const under = ["unshare", "-m", "sh", "-c", readOnly, "sh"];
  const back = () => readFileSync(`/proc/${pid}/cgroup`, "utf8");
  for (const restore of [
    () => bareUnder(stage, under, images),
    () => reportUnder(stage, under, "restore", images),
  ]) {
    rmdirSync(cgroup);
    const done = await restore();
    expect(done.exit).toBe(0);
    if ("plan" in done) expect(done.plan.options).toEqual([]);
    expect(back()).toContain(cgroup.slice(v2.mount.length));
    await killTree(stage, pid);
  }
});

test("cgroup-frozen: bare CRIU hangs", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "above/workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  for (const frozen of [cgroup, join(cgroup, "..")]) {
    writeFileSync(join(frozen, "cgroup.freeze"), "1");
    const preflight = await report(stage, "preflight", images);
    expect(blockers(preflight)).toEqual(["cgroup-frozen"]);
    expect((await report(stage, "restore", images)).exit).toBe(3);
    expect((await restoreBare(stage, images, [], { timeout: 3000 })).exit).toBe(null);
    expect((await typed(stage, preflight, "cgroup-frozen")).exit).toBe(0);
    await restored(stage, images);
    await killTree(stage, pid);
  }
});

test("cgroup-frozen: a name with a backslash, as systemd's have", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "a\\x2db");
  const { images } = await dumpIn(stage, cgroup);
  writeFileSync(join(cgroup, "cgroup.freeze"), "1");
  expect(finding(await report(stage, "preflight", images), "cgroup-frozen").subject).toBe(cgroup);
  writeFileSync(join(cgroup, "cgroup.freeze"), "0");
  await restored(stage, images);
});

test("cgroup-set-missing: a set, and a controller, that the images lack", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpIn(stage, makeCgroup(stage, v2, "workload"));
  const stray = join(stage.dir, "stray");
  cpSync(images, stray, { recursive: true });
  edit(stray, `core-${pid}.img`, ([core]) => void (core.thread_core.cg_set = 77));
  expect(
    await stageCheck({ id: "cgroup-set-missing", stage, images: stray, among: true }),
  ).toMatchObject({ subject: "set 77" });
  const lost = changed(stage, images, "lost", (cgroup) => {
    cgroup.controllers = cgroup.controllers.filter(({ cnames }: any) => cnames[0] !== "");
  });
  await stageCheck({ id: "cgroup-set-missing", stage, images: lost, among: true });
  const told = await report(stage, "preflight", lost);
  expect((await typed(stage, told, "cgroup-set-missing")).exit).toBe(0);
});

test("cgroup-option: a yard that is not there, two roots for one hierarchy", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpIn(stage, makeCgroup(stage, v2, "workload"));
  const yard = join(stage.dir, "yard");
  await stageCheck({
    id: "cgroup-option",
    stage,
    images,
    options: ["--cgroup-yard", yard],
    among: true,
  });
  const two = changed(stage, images, "two", (cgroup) => {
    const named = cgroup.controllers.find(({ cnames }: any) => cnames[0] !== "");
    named.cnames = ["first", "second"];
  });
  await stageCheck({
    id: "cgroup-option",
    stage,
    images: two,
    options: ["--cgroup-root=first:/a", "--cgroup-root=second:/b"],
    among: true,
  });
  await restored(stage, images);
  await killTree(stage, pid);
});

test("--cgroup-root: the cgroups that count are those below the new root", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  const moved = makeCgroup(stage, v2, "moved");
  // What would stop the tree at its old place does not matter.
  writeFileSync(join(cgroup, "cgroup.freeze"), "1");
  expect(blockers(await report(stage, "preflight", images))).toEqual(["cgroup-frozen"]);
  const path = moved.slice(v2.mount.length);
  const there = await restored(stage, images, { options: ["--cgroup-root", `:${path}`] });
  expect(readFileSync(`/proc/${there}/cgroup`, "utf8")).toContain(`0::${path}\n`);
  await killTree(stage, pid);
});

test("cgroup-namespace: not made again with --manage-cgroups=ignore", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpIn(stage, makeCgroup(stage, v2, "workload"), [
    "unshare",
    "2000000",
  ]);
  expect(await report(stage, "preflight", images)).toMatchObject({ exit: 0, findings: [] });
  const namespace = () => Bun.spawnSync(["readlink", `/proc/${pid}/ns/cgroup`]).stdout.toString();
  const ours = Bun.spawnSync(["readlink", "/proc/self/ns/cgroup"]).stdout.toString();
  await restored(stage, images);
  expect(namespace()).not.toBe(ours);
  await killTree(stage, pid);
  const lost = await report(stage, "preflight", images, ["--manage-cgroups=ignore"]);
  expect(finding(lost, "cgroup-namespace").severity).toBe("warning");
  const options = ["--manage-cgroups=ignore"];
  expect((await restoreBare(stage, images, options)).exit).toBe(0);
  expect(namespace()).toBe(ours);
  await killTree(stage, pid);
  expect((await typed(stage, lost, "cgroup-namespace", { options })).exit).toBe(0);
  expect(namespace()).not.toBe(ours);
});

test("a relative --cgroup-yard is found from the work directory, and looked through to its end", async () => {
  await using stage = openStage();
  const cgroup = makeCgroup(stage, v2, "above/workload");
  const { pid, images } = await dumpIn(stage, cgroup);
  const yard = join(stage.dir, "yard");
  const work = join(stage.dir, "far/work");
  const link = join(stage.dir, "link");
  mkdirSync(join(yard, "unified"), { recursive: true });
  mkdirSync(work, { recursive: true });
  symlinkSync(work, link);
  await run(stage, ["mount", "-t", "cgroup2", "none", join(yard, "unified")]);
  for (const options of [
    ["-W", work, "--cgroup-yard", "../../yard"],
    ["-W", link, "--cgroup-yard", ".././../yard"],
  ]) {
    await eventually(() => rmdirSync(cgroup));
    rmdirSync(join(cgroup, ".."));
    const preflight = await report(stage, "preflight", images, options);
    expect(preflight.exit).toBe(0);
    expect(finding(preflight, "cgroup-missing")).toMatchObject({
      severity: "info",
      subject: join(yard, "unified", cgroup.slice(v2.mount.length)),
    });
    expect((await restoreBare(stage, images, options)).exit).toBe(0);
    await killTree(stage, pid);
    await restored(stage, images, { options });
    await killTree(stage, pid);
  }
  const nowhere = ["--cgroup-yard", "../../../../../../../nowhere/x"];
  expect(
    (await stageCheck({ id: "cgroup-option", stage, images, options: nowhere, among: true }))
      .subject,
  ).toBe("/nowhere/x");
  // Under the name of criu, too.
  const done = await run(
    stage,
    [
      "bash",
      "-c",
      'exec -a criu "$0" "$@"',
      recriuBinary,
      "restore",
      "-d",
      "-D",
      images,
      "-W",
      work,
      "--cgroup-yard",
      "../../yard",
    ],
    { env: { RECRIU_CRIU: criu } },
  );
  expect(done.exit).toBe(0);
  await killTree(stage, pid);
});
