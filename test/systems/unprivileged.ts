/** CRIU and recriu as another user than root, with CAP_CHECKPOINT_RESTORE and nothing else (capabilities(7)). */
import { blockers, finding } from "../restore/report.ts";
import { alive, criu, killTree, openStage, run, waitFor } from "../restore/stage.ts";
import { bareUnder, reportUnder } from "../restore/under.ts";
import { expect, test } from "bun:test";
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
const able = [...user, "--inh-caps=+checkpoint_restore", "--ambient-caps=+checkpoint_restore"];

test("a user's tree is dumped and restored by that user", async () => {
  await using stage = openStage();
  const images = join(stage.dir, "images");
  mkdirSync(images);
  for (const dir of [stage.dir, images]) chownSync(dir, 1000, 1000);
  const sleeper = await stage.supervisor.spawn([...user, "sleep", "1000"], { cwd: "/" });
  const { pid } = sleeper;
  await waitFor("it", () => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n");
  const log = ["-o", "dump.log", "-v4"];
  const dumping = [criu, "dump", "--unprivileged", "-t", `${pid}`, "-D", images, ...log];
  const dumped = await run(stage, [...able, ...dumping]);
  expect(dumped).toMatchObject({ exit: 0 });
  await waitFor("it to be gone", () => !alive(pid));

  const told = await reportUnder(stage, able, "preflight", images);
  expect([told.exit, told.plan.options]).toEqual([0, ["--unprivileged"]]);
  const said = finding(told, "privilege").criu_message!;
  const bare = await bareUnder(stage, able, images);
  expect([bare.exit, `${bare.log}${bare.stdout}${bare.stderr}`]).toEqual([
    1,
    expect.stringContaining(said),
  ]);
  const done = await reportUnder(stage, able, "restore", images);
  expect(blockers(done)).toEqual(["privilege"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
  await killTree(stage, pid);
});
