/** With CAP_SYS_RESOURCE, which not every machine's root has: trees of other users, limits raised, killed later than others. */
import { report } from "../restore/report.ts";
import { dump, killTree, openStage, run, start } from "../restore/stage.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

const of = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");
const limit = (pid: number, name: string) =>
  new RegExp(`^Max ${name} +(\\S+) +(\\S+)`, "m").exec(of(pid, "limits"))!.slice(1);

test("limits beyond the ones of recriu itself, and a score that only root gives", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "-5"]);
  const raise = ["prlimit", `--pid=${pid}`, "--nofile=9999:200000", "--memlock=unlimited"];
  const score = ["sh", "-c", `echo -500 >/proc/${pid}/oom_score_adj`];
  for (const argv of [raise, score]) expect((await run(stage, argv)).exit).toBe(0);
  const images = await dump(stage, pid);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  expect(limit(pid, "open files")).toEqual(["9999", "200000"]);
  expect(limit(pid, "locked memory")).toEqual(["unlimited", "unlimited"]);
  expect(of(pid, "oom_score_adj").trim()).toBe("-500");
  await killTree(stage, pid);
});

test("a tree of another user, with his groups and without root's rights", async () => {
  await using stage = openStage();
  const user = ["setpriv", "--reuid=1000", "--regid=1000", "--groups=1000,24", "sleep", "1000"];
  const { pid } = await stage.supervisor.spawn(user, { cwd: "/" });
  while (!of(pid, "comm").startsWith("sleep")) await Bun.sleep(10);
  const images = await dump(stage, pid);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  expect(of(pid, "status")).toMatch(
    /^Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000$/m,
  );
  expect(of(pid, "status")).toMatch(/^Groups:\t24 1000/m);
  expect(of(pid, "status")).toMatch(/^CapEff:\t0{16}$/m);
  await killTree(stage, pid);
});
