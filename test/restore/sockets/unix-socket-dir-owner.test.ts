import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { killTree, openStage, restoreBare, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

test("unix-socket-dir-owner: whoever owns .X11-unix takes the tree's socket away", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, ".X11-unix");
  const socket = join(dir, "X7");
  chmodSync(stage.dir, 0o755);
  const make = (uid: number, mode: number) => {
    mkdirSync(dir);
    chownSync(dir, uid, uid);
    chmodSync(dir, mode);
  };
  make(0, 0o1777);
  const { pid, images } = await startDumped(stage, "objects", ["listen", socket]);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);

  chmodSync(dir, 0o777);
  const open = finding(await report(stage, "preflight", images), "unix-socket-dir-owner");
  expect(open).toMatchObject({ severity: "warning", subject: dir, criu_message: null });
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "unix-socket-dir-owner")).exit).toBe(0);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);

  rmSync(dir, { recursive: true });
  make(1000, 0o1777);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  // Harm: the file that root's server is bound to is another user's to exchange.
  const alice = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
  expect((await run(stage, [...alice, "mv", socket, join(dir, "taken")])).stderr).toBe("");
  await killTree(stage, pid);
  rmSync(join(dir, "taken"));

  const named = finding(await report(stage, "preflight", images), "unix-socket-dir-owner");
  expect(named).toMatchObject({ severity: "warning", subject: dir });
  expect(named.message).toContain(`${dir} belongs to uid 1000`);
  expect((await run(stage, ["sh", "-c", named.remedy.command!])).exit).toBe(0);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.findings.map(({ id }) => id)).toEqual(["unix-socket-dir"]);
  expect(statSync(dir)).toMatchObject({ uid: 0, mode: 0o041777 });
  await killTree(stage, pid);
});
