/** The founding incident, in small: socket directory gone, cgroup not to be had, a thread with SCHED_RESET_ON_FORK. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ask, dumpX11, echoes } from "./x11.ts";
import { losesPriorities, lost } from "./criu.ts";
import { blockers, finding, report } from "./report.ts";
import {
  alive,
  killTree,
  makeDoomedCgroup,
  openStage,
  recriu,
  restoreBare,
  type Stage,
  waitFor,
} from "./stage.ts";

async function dumpIncident(stage: Stage) {
  const doomed = makeDoomedCgroup(stage);
  if (doomed === null) throw new Error("cgroup v2 is not mounted");
  return { x11: await dumpX11(stage, [doomed.cgroup]), spoil: doomed.spoil };
}

test("one command restores what bare CRIU cannot", async () => {
  await using stage = openStage();
  const { x11, spoil } = await dumpIncident(stage);
  const { pid, tasks, images, sockets } = x11;
  rmSync(sockets, { recursive: true });
  spoil();
  const before = echoes(x11);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);

  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(4);
  expect(new Set(blockers(preflight))).toEqual(
    new Set(["cgroup-missing", "unix-socket-dir", ...lost]),
  );
  expect(preflight.plan.outcome).toBe("repairable");
  expect(preflight.plan.options).toEqual(["--manage-cgroups=ignore"]);
  expect(existsSync(sockets)).toBe(false);

  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({
    exit: 0,
    run: { criu_exit: 0, pid },
    verdict: { result: "match" },
  });
  // The tree is where the restore was run from, as was asked for by --manage-cgroups=ignore.
  const { differences } = restored.verdict!;
  expect(new Set(differences.map((each) => `${each.class} ${each.facet}`))).toEqual(
    new Set(["expected cgroups", ...(losesPriorities ? ["mended scheduling"] : [])]),
  );
  expect(restored.verdict!.compared).toBeGreaterThan(15);
  expect(tasks.filter(alive)).toEqual(tasks);
  await waitFor("the client to go on", () => echoes(x11) > before + 1);
  expect(await ask(x11, "hello")).toBe("hello");
  expect((await recriu(stage, ["verify", "-D", images])).exit).toBe(0);
});

test("each act alone: CRIU's own message is the one that was foretold", async () => {
  await using stage = openStage();
  const { x11, spoil } = await dumpIncident(stage);
  const { pid, images, sockets } = x11;
  expect(blockers(await report(stage, "preflight", images))).toEqual([...lost]);

  rmSync(sockets, { recursive: true });
  const socket = finding(await report(stage, "preflight", images), "unix-socket-dir");
  expect(socket).toMatchObject({
    severity: "blocker",
    subject: sockets,
    remedy: { kind: "repair" },
  });
  const noDirectory = await restoreBare(stage, images);
  expect(noDirectory.exit).toBe(1);
  expect(noDirectory.log).toContain(socket.criu_message!);

  const repaired = await report(stage, "restore", images);
  expect(repaired).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(statSync(sockets).mode & 0o7777).toBe(0o1777);
  await killTree(stage, pid);

  spoil();
  const cgroup = finding(await report(stage, "preflight", images), "cgroup-missing");
  expect(cgroup.remedy).toMatchObject({ kind: "option", command: "--manage-cgroups=ignore" });
  const noCgroup = await restoreBare(stage, images);
  expect(noCgroup.exit).toBe(1);
  expect(noCgroup.log).toContain(cgroup.criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
});

test("an option that the user gave is not overridden: the conflict is a finding", async () => {
  await using stage = openStage();
  const { x11, spoil } = await dumpIncident(stage);
  const { images } = x11;
  spoil();
  const asked = await report(stage, "preflight", images, ["--manage-cgroups=soft"]);
  expect(asked).toMatchObject({ exit: 3, plan: { outcome: "blocked", options: [] } });
  expect(finding(asked, "cgroup-missing").message).toContain("domain threaded");
});

test("--dry-run and preflight touch nothing, --fix=none repairs nothing", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage);
  rmSync(sockets, { recursive: true });
  const listing = readdirSync(stage.dir).filter((name) => !name.startsWith("run-"));
  expect((await report(stage, "restore", images, ["--dry-run"])).exit).toBe(0);
  expect(await report(stage, "restore", images, ["--fix=none"])).toMatchObject({
    exit: 3,
    run: null,
  });
  expect(readdirSync(stage.dir).filter((name) => !name.startsWith("run-"))).toEqual(listing);
});

test("the well-known directory gets its well-known mode", async () => {
  await using stage = openStage();
  const sockets = "/tmp/.ICE-unix";
  if (existsSync(sockets)) throw new Error(`${sockets} is in use on this machine`);
  try {
    const { pid, images } = await startDumped(stage, "x11-server", [
      sockets,
      join(stage.dir, "progress"),
    ]);
    rmSync(sockets, { recursive: true });
    expect((await report(stage, "restore", images)).exit).toBe(0);
    expect(statSync(sockets).mode & 0o7777).toBe(0o1777);
    await killTree(stage, pid);
  } finally {
    rmSync(sockets, { recursive: true, force: true });
  }
});
