/** Once the tree runs it is the user's: however CRIU ends then, nothing is taken back under it. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { report } from "./report.ts";
import { scriptAt } from "./shadow.ts";
import {
  alive,
  criu,
  descendants,
  openStage,
  recriuBinary,
  run,
  running,
  type Stage,
  stateOf,
  waitFor,
} from "./stage.ts";
import { dumpX11 } from "./x11.ts";

/** A dumped tree whose socket's directory is gone. */
async function spoiled(stage: Stage) {
  const dumped = await dumpX11(stage);
  rmSync(dumped.sockets, { recursive: true });
  const journals = () => readdirSync(join(stateOf(stage).run, "recriu"));
  return { ...dumped, journals };
}

test("CRIU is killed between the last two points: the tree runs, and what was repaired for it stays", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets, tasks, journals } = await spoiled(stage);
  const kill = scriptAt(stage, "post-resume", "kill -9 $PPID; sleep 0.2");
  const done = await report(stage, "restore", images, ["-d", "--action-script", kill]);
  expect(done).toMatchObject({ exit: 137, failure: null, verdict: { result: "match" } });
  expect(tasks.every(alive)).toBe(true);
  expect(existsSync(join(sockets, "X7"))).toBe(true);
  expect(journals()).toEqual([]);
});

test("attached: CRIU ends with another code than 0 under the running tree", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets, tasks, journals } = await spoiled(stage);
  const words = [recriuBinary, "restore", "-D", images, `--criu=${criu}`];
  const attached = run(stage, words);
  await waitFor("the tree to run", () => tasks.every(alive) && journals().length === 0);
  const [first] = running(stage, "criu");
  process.kill(first!, "SIGKILL");
  expect((await attached).exit).toBe(137);
  expect(tasks.every(alive)).toBe(true);
  expect(existsSync(join(sockets, "X7"))).toBe(true);
  expect(descendants(stage.supervisor.pid).length).toBeGreaterThan(0);
});
