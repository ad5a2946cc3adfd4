/** The founding incident, as it happens: the machine was rebooted, /tmp is empty, the cgroup is gone, one command. */
import { losesPriorities } from "../restore/criu.ts";
import { blockers, report } from "../restore/report.ts";
import { killTree, openStage, recriu, restoreBare, waitFor } from "../restore/stage.ts";
import { ask, echoes } from "../restore/x11.ts";
import { boot, left, own } from "./left.ts";
import { expect, test } from "bun:test";
import { existsSync, rmSync, statSync } from "node:fs";

interface Incident {
  pid: number;
  sockets: string;
  progress: string;
  cgroup: string;
  boot: string;
}

test("after a reboot one command brings the tree back, where bare CRIU fails", async () => {
  const incident = left<Incident>(`incident-${own}`);
  const { pid, sockets, images, cgroup } = incident;
  const x11 = { ...incident, tasks: [] };
  expect(boot()).not.toBe(incident.boot);
  expect([existsSync(sockets), existsSync(cgroup)]).toEqual([false, false]);
  await using stage = openStage();
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.errors.join("\n")).toMatch(
    losesPriorities ? /Can't bind id|Inconsistent sched params/ : /Can't bind id .*No such file/,
  );
  const foretold = blockers(await report(stage, "preflight", images));
  expect(foretold).toContain("unix-socket-dir");
  const before = echoes(x11);
  try {
    const done = await report(stage, "restore", images);
    expect(done).toMatchObject({ exit: 0, run: { pid }, verdict: { result: "match" } });
    expect(statSync(sockets).mode & 0o7777).toBe(0o1777);
    await waitFor("the client to go on", () => echoes(x11) > before + 1);
    expect(await ask(x11, "hello")).toBe("hello");
    expect((await recriu(stage, ["verify", "-D", images])).exit).toBe(0);
    await killTree(stage, pid);
  } finally {
    rmSync(sockets, { recursive: true, force: true });
  }
});
