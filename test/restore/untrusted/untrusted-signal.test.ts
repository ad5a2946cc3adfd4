import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { alive, killTree, openStage, restoreBare, run, start, waitFor } from "../stage.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("untrusted-signal: a datagram to the tree kills a stranger", async () => {
  await using stage = openStage();
  const socket = join(stage.dir, "sock");
  const { pid, images } = await startDumped(stage, "objects", ["dgram", socket]);
  const victim = await start(stage, "objects", []);
  const O_ASYNC = 0o20000;
  edit(images, "files.img", (files) => {
    for (const { usk } of files)
      if (usk !== undefined) {
        usk.flags |= O_ASYNC;
        Object.assign(usk.fown, { pid: victim.pid, pid_type: 1, signum: 10 });
      }
  });
  const send = `import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", "${socket}")`;
  const blocked = await report(stage, "restore", images, ["--untrusted"]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-signal"]);
  expect(finding(blocked, "untrusted-signal")).toMatchObject({
    subject: `${victim.pid} (objects)`,
    message: expect.stringContaining("gets signal 10"),
  });
  const lowered = await report(stage, "restore", images, [
    "--untrusted",
    "--ignore=untrusted-signal",
  ]);
  expect(lowered.exit).toBe(0);
  await killTree(stage, pid);

  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(alive(victim.pid)).toBe(true);
  expect((await run(stage, ["python3", "-c", send])).exit).toBe(0);
  await waitFor("the victim to be killed", () => !alive(victim.pid));
  await killTree(stage, pid);
});
