/** What can happen to a restore on its way: after each, no stray task and no half-made directory. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { report } from "./report.ts";
import {
  alive,
  criu,
  openStage,
  processOf,
  recriu,
  recriuBinary,
  run,
  type Stage,
  waitFor,
} from "./stage.ts";
import { dumpX11 } from "./x11.ts";

/** An action script that runs `command` at `point`; CRIU is $PPID, recriu its parent. */
function scriptAt(stage: Stage, point: string, command: string): string {
  const script = join(stage.dir, `script-${point}`);
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION = ${point} ] || exit 0\n${command}\n`);
  chmodSync(script, 0o755);
  return script;
}

const recriusPid = "$(awk '{print $4}' /proc/$PPID/stat)";

/** Those that CRIU passes without namespaces to set up. */
const points = ["pre-restore", "post-restore", "pre-resume"];

for (const point of points) {
  test(`CRIU is killed at ${point}`, async () => {
    await using stage = openStage();
    const { tasks, images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const script = scriptAt(stage, point, "kill -9 $PPID; sleep 0.2");
    const killed = await report(stage, "restore", images, ["--action-script", script]);
    expect(killed).toMatchObject({ exit: 137, run: { criu_exit: 137, pid: null } });
    expect(killed.failure).toMatchObject({ line: expect.stringContaining("SIGKILL"), left: [] });
    await waitFor("the tree to be gone", () => !tasks.some(processOf));
    expect(existsSync(sockets)).toBe(false);
    expect((await report(stage, "restore", images)).exit).toBe(0);
  });
}

for (const signal of ["INT", "TERM", "HUP"] as const) {
  test(`SIG${signal} to recriu before the tree runs`, async () => {
    await using stage = openStage();
    const { tasks, images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const script = scriptAt(stage, "post-restore", `kill -${signal} ${recriusPid}; sleep 0.5`);
    const stopped = await report(stage, "restore", images, ["--action-script", script]);
    expect(stopped.exit).toBe(128 + constants.signals[`SIG${signal}`]);
    expect(stopped.failure).toMatchObject({ line: `interrupted by SIG${signal}`, left: [] });
    await waitFor("the tree to be gone", () => !tasks.some(processOf));
    expect(existsSync(sockets)).toBe(false);
  });
}

for (const point of points) {
  test(`recriu is killed at ${point}: undo finishes what it began`, async () => {
    await using stage = openStage();
    const { tasks, images, sockets } = await dumpX11(stage);
    rmSync(sockets, { recursive: true });
    const script = scriptAt(stage, point, `kill -9 ${recriusPid}`);
    const killed = await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
    expect(killed.exit).toBe(137);
    if (point === "pre-resume") {
      // CRIU does not heed a missing gate there: the tree, verified but for its last details, runs.
      await waitFor("the tree", () => tasks.every(alive));
      const undone = await recriu(stage, ["undo"]);
      expect(undone.stderr).toContain("in use by now; left alone");
      expect(existsSync(join(sockets, "X7"))).toBe(true);
      return;
    }
    await waitFor("the tree to be gone", () => !tasks.some(alive));
    expect(existsSync(sockets)).toBe(true);
    expect((await recriu(stage, ["undo"])).stderr).toContain(sockets);
    expect(existsSync(sockets)).toBe(false);
  });
}

test("a work directory that cannot be written, an image that vanishes on the way", async () => {
  await using stage = openStage();
  const { tasks, images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  const nowhere = await report(stage, "restore", images, ["-W", join(stage.dir, "nowhere")]);
  expect(nowhere.exit).not.toBe(0);
  expect(existsSync(sockets)).toBe(false);

  const script = scriptAt(stage, "pre-restore", `rm ${images}/mm-*.img`);
  const vanished = await report(stage, "restore", images, ["--action-script", script]);
  expect(vanished.exit).not.toBe(0);
  await waitFor("the tree to be gone", () => !tasks.some(alive));
  expect(existsSync(sockets)).toBe(false);
});

test("no journal can be kept: nothing is touched", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  // In a mount namespace of its own, /run is read-only.
  const hide = 'mount -t tmpfs -o ro none /run && exec "$@"';
  const words = [recriuBinary, "restore", "-d", "-D", images, "--json", `--criu=${criu}`];
  const { exit, stdout } = await run(stage, ["unshare", "-m", "sh", "-c", hide, "sh", ...words]);
  expect(exit).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    run: null,
    failure: { line: expect.stringContaining("journal") },
  });
  expect(existsSync(sockets)).toBe(false);
});
