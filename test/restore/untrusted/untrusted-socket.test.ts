import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { alive, killTree, openStage, restoreBare, run, start } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";

test("untrusted-socket: in the place of a service, and connected to one", async () => {
  await using stage = openStage();
  const docker = join(stage.dir, "docker.sock");
  const server = await startDumped(stage, "objects", ["listen", docker]);
  const named = await refused(stage, {
    id: "untrusted-socket",
    images: server.images,
    pid: server.pid,
    subject: docker,
    done: () => expect(statSync(docker).isSocket()).toBe(true),
    allow: [`--allow-write=${stage.dir}`],
  });
  expect(named.message).toContain("no live process has it");

  // Somebody alive has the name: CRIU takes it away from him.
  const taken = join(stage.dir, "taken");
  const late = await startDumped(stage, "objects", ["listen", taken]);
  await run(stage, ["rm", taken]);
  const owner = await start(stage, "objects", ["listen", taken]);
  const alone = ["--untrusted", "--ignore=unix-socket-busy"];
  const blocked = await report(stage, "restore", late.images, alone);
  expect([blocked.exit, ...new Set(blockers(blocked))]).toEqual([3, "untrusted-socket"]);
  expect(finding(blocked, "untrusted-socket").message).toContain(`${owner.pid} (objects)`);
  const inode = statSync(taken).ino;
  expect((await restoreBare(stage, late.images)).exit).toBe(0);
  expect(statSync(taken).ino).not.toBe(inode);
  await killTree(stage, late.pid);

  const log = join(stage.dir, "log");
  const service = await start(stage, "objects", ["dgram", log]);
  const client = await startDumped(stage, "objects", ["connect", log], { dump: ["--ext-unix-sk"] });
  const talks = await refused(stage, {
    id: "untrusted-socket",
    images: client.images,
    pid: client.pid,
    subject: log,
    options: ["--ext-unix-sk"],
    done: (pid) => expect(alive(pid) && alive(service.pid)).toBe(true),
    allow: [`--allow-write=${stage.dir}`],
  });
  expect(talks.message).toContain("connect to the datagram socket");
});
