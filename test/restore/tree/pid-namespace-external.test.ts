import { innermostPid } from "../../../src/host/processes.ts";
import { blockers, finding, report } from "../report.ts";
import { descendants, dump, killTree, openStage, restoreBare, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";

const named = (root: number, comm: string): number =>
  descendants(root).find(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === comm)!
    .pid;

test("an external pid namespace has to be handed over", async () => {
  await using stage = openStage();
  const namespace = await start(stage, "pidns-member", []);
  const member = named(namespace.pid, "member");
  const link = readlinkSync(`/proc/${member}/ns/pid`);
  const inode = /\d+/.exec(link)![0];
  const images = await dump(stage, member, ["--external", `pid[${inode}]:other`]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["pid-namespace-external"]);
  const found = finding(preflight, "pid-namespace-external");
  expect(found).toMatchObject({ subject: "other", remedy: { kind: "human" } });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(found.criu_message!);
  const init = named(namespace.pid, "pidns-init");
  const handed = (command: string) => ["bash", "-c", `${command} 5</proc/${init}/ns/pid`];
  const options = ["-d", "--inherit-fd", "fd[5]:other"];
  const given = await reportUnder(stage, handed, "preflight", images, options.slice(1));
  expect(given.findings).toEqual([]);
  const again = await bareUnder(stage, handed, images, options);
  expect(again.exit).toBe(0);
  const restored = descendants(stage.supervisor.pid).find(
    ({ pid, ppid }) => ppid === stage.supervisor.pid && innermostPid(pid) !== pid,
  );
  await killTree(stage, restored!.pid);
  const told = await report(stage, "preflight", images, ["-d"]);
  const done = await typed(stage, told, "pid-namespace-external", { fill: { PID: `${init}` } });
  expect([done.exit, done.stderr]).toEqual([0, expect.anything()]);
});
