/** recriu, CRIU or the init, killed at every point at which CRIU waits for somebody: nothing stays, but for a tree that may run. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  alive,
  criu,
  openStage,
  recriuBinary,
  running,
  type Stage,
  start,
  stateOf,
  undo,
  waitFor,
} from "../stage.ts";

/** A pair to this machine is the one thing of them that can be seen outside. */
const EVERY = "--isolate=net:veth,ipc,uts";
const links = () => readdirSync("/sys/class/net").filter((name) => /^recriu\d/.test(name));

/** A restore that a script holds at a point; until `until` it is not let go. */
async function held(stage: Stage, images: string, point: string) {
  const script = join(stage.dir, "hold");
  const there = join(stage.dir, `there-${++stage.count}`);
  writeFileSync(
    script,
    `#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != ${point} ] || { : >${there}; exec sleep 60; }\n`,
    { mode: 0o755 },
  );
  const words = ["restore", "-D", images, EVERY, "--action-script", script];
  const argv = ["env", `RECRIU_CRIU=${criu}`, recriuBinary, ...words, "-o", `${there}.log`];
  const child = await stage.supervisor.spawn(argv, { cwd: stage.dir, stderr: `${there}.err` });
  await waitFor(`CRIU to come to ${point}`, () => existsSync(there));
  return { child };
}

const all = ["recriu-init", "criu", "recriu", "sched", "sleep"];
const left = (stage: Stage) => [
  ...all.filter((name) => running(stage, name).length > 0),
  ...links(),
];
const kill = (stage: Stage, name: string) =>
  running(stage, name).forEach((pid) => process.kill(pid, "SIGKILL"));

for (const point of ["pre-restore", "post-restore", "pre-resume"])
  for (const victim of ["recriu", "criu", "recriu-init"])
    test(`${victim}, killed at ${point}`, async () => {
      await using stage = openStage({ ownState: true });
      const { pid, images } = await startDumped(stage);
      await start(stage, "at-pid", [`${pid}`]);
      const { child } = await held(stage, images, point);
      kill(stage, victim);
      await child.exited;
      await waitFor("all of it to be gone", () => left(stage).length === 0);
      // What recriu itself could not take back any more, the next one does.
      expect((await undo(stage)).exit).toBe(0);
      expect(readdirSync(join(stateOf(stage).run, "recriu"))).toEqual([]);
    });

for (const victim of ["recriu", "recriu-init"])
  test(`${victim}, killed as soon as there is an init`, async () => {
    await using stage = openStage({ ownState: true });
    const { images } = await startDumped(stage);
    const words = ["restore", "-D", images, EVERY, "-o", join(stage.dir, "r.log")];
    const argv = ["env", `RECRIU_CRIU=${criu}`, recriuBinary, ...words];
    const child = await stage.supervisor.spawn(argv, { cwd: stage.dir });
    await waitFor("the init", () => running(stage, "recriu-init").length > 0);
    kill(stage, victim);
    await child.exited;
    await waitFor("all of it to be gone", () => left(stage).length === 0);
    expect((await undo(stage)).exit).toBe(0);
  });

for (const victim of ["recriu", "criu"])
  test(`${victim}, killed when the tree may run: it runs on`, async () => {
    await using stage = openStage({ ownState: true });
    const { pid, images } = await startDumped(stage);
    await start(stage, "at-pid", [`${pid}`]);
    const { child } = await held(stage, images, "post-resume");
    kill(stage, victim);
    await child.exited;
    const [root] = running(stage, "sched");
    expect(alive(root!)).toBe(true);
    process.kill(root!, "SIGTERM");
    kill(stage, "sleep");
    await waitFor("all of it to be gone", () => left(stage).length === 0);
  });
