/** --rehearse: the whole restore, verified and discarded. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finding, report } from "./report.ts";
import { alive, openStage, recriu, running, stateOf, undo, waitFor } from "./stage.ts";
import { freePort, withConnection } from "./inet.ts";
import { dumpX11 } from "./x11.ts";

test("beside the tree that runs on: it would restore, and nothing of it is left", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "0"], {
    dump: ["--leave-running"],
  });
  const done = await report(stage, "restore", images, ["--rehearse"]);
  expect([done.exit, done.verdict?.result, done.rehearsal]).toEqual([0, "match", { left: [] }]);
  expect(done.plan.isolate).toEqual(["pid", "mount"]);
  expect(finding(done, "already-running").severity).toBe("warning");
  expect([running(stage, "sched"), alive(pid)]).toEqual([[pid], true]);
  await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
  expect(readdirSync(join(stateOf(stage).run, "recriu"))).toEqual([]);
  const told = await recriu(stage, ["restore", "-d", "-D", images, "--rehearse"]);
  expect(told.stderr).toMatch(/^rehearsed: it restores, in \d+ ms here; /m);
});

test("with repairs and sockets, which are taken back", async () => {
  await using stage = openStage({ ownState: true });
  const { images, sockets } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  const done = await report(stage, "restore", images, ["--rehearse"]);
  expect([done.exit, done.rehearsal]).toEqual([0, { left: [] }]);
  expect(done.plan.repairs.length).toBeGreaterThan(0);
  expect(existsSync(sockets)).toBe(false);
  // It has used nothing up.
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("what fails fails as the restore would; what has connections is not rehearsed", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const failed = await report(stage, "restore", images, [
    "--rehearse",
    "--action-script",
    "/bin/false",
  ]);
  expect([failed.exit, failed.rehearsal, failed.failure?.left]).toEqual([1, null, []]);
  const script = join(stage.dir, "script");
  const limit = 'prlimit --pid "$CRTOOLS_INIT_PID" --nofile=77:77';
  writeFileSync(script, `#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != pre-resume ] || ${limit}\n`, {
    mode: 0o755,
  });
  const wrong = await report(stage, "restore", images, ["--rehearse", "--action-script", script]);
  expect([wrong.exit, wrong.verdict?.result, wrong.rehearsal]).toEqual([5, "mismatch", null]);
  rmSync(join(images, `mm-${pid}.img`));
  expect((await report(stage, "restore", images, ["--rehearse"])).exit).toBe(6);
  const connected = await withConnection(stage, { src_port: freePort(), dst_port: freePort() });
  const refused = await report(stage, "restore", connected.images, [
    "--rehearse",
    "--tcp-established",
  ]);
  expect([refused.exit, refused.run]).toEqual([3, null]);
  expect(refused.stderr).toContain("--rehearse: the tree has TCP connections");
  expect((await undo(stage)).exit).toBe(0);
});
