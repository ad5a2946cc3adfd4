/** Numbers that are taken. */
import { expect, test } from "bun:test";
import { blockers, finding, report } from "./report.ts";
import { descendants, dump, killTree, openStage, restoreBare, start } from "./stage.ts";
import { readdirSync } from "node:fs";

test("the number of a task is taken", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const taker = await start(stage, "at-pid", [`${pid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "pid-in-use")).toMatchObject({
    task: pid,
    subject: `${pid}`,
    image: "pstree.img",
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  await killTree(stage, taker.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("the number of a thread is taken", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "tree", [stage.dir, "/etc/hostname", `${stage.dir}/log`, "1"]);
  const leaf = descendants(pid).find((task) => task.state !== "Z")!.pid;
  const tid = readdirSync(`/proc/${leaf}/task`)
    .map(Number)
    .find((number) => number !== leaf)!;
  const images = await dump(stage, pid);
  const taker = await start(stage, "at-pid", [`${tid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use")).toMatchObject({ task: leaf, subject: `${tid}` });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-in-use").criu_message!);
  await killTree(stage, taker.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("a number lives on as the process group of others, without a process of that number", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const holder = await start(stage, "group-of", [`${pid}`]);
  expect(() => process.kill(pid, 0)).toThrow();
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").message).toContain("process group or session of process");
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`Can't fork for ${pid}: File exists`);
  await killTree(stage, holder.pid);
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
});

test("a zombie holds its number", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const holder = await start(stage, "zombie-at", [`${pid}`]);
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "pid-in-use").message).toContain("zombie");
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`Can't fork for ${pid}: File exists`);
  await killTree(stage, holder.pid);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
