/** What a runtime's request settles otherwise than the restore needs: the request is changed, and only then. */
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dumpByOld } from "../restore/shadow.ts";
import { criu, makeDoomedCgroup, openStage, run, start } from "../restore/stage.ts";
import { dumpX11 } from "../restore/x11.ts";
import { ask, restore } from "./rpc.ts";

const SOFT = 3;

test("a cgroup mode that the runtime sets in every request", async () => {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);
  if (doomed === null) throw new Error("cgroup v2 is not mounted");
  const { pid, images, sockets } = await dumpX11(stage, [doomed.cgroup]);
  doomed.spoil();
  rmSync(sockets, { recursive: true });
  const asked = restore({ manage_cgroups_mode: SOFT, tcp_established: false });
  const bare = await ask(stage, images, asked, { program: criu });
  expect(bare.answer).toMatchObject({ success: false });
  expect(bare.log).toContain("cg: Can't move ");

  const done = await ask(stage, images, asked);
  expect(done.answer).toMatchObject({ success: true, restore: { pid } });
  expect(done.log).toContain("verified: ");
});

test("a cgroup mode that the user's configuration file sets is not changed: that is a refusal", async () => {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);
  if (doomed === null) throw new Error("cgroup v2 is not mounted");
  const { images } = await dumpX11(stage, [doomed.cgroup]);
  doomed.spoil();
  const config = join(stage.dir, "config");
  writeFileSync(config, "manage-cgroups=soft\n");
  const asked = restore({ manage_cgroups_mode: SOFT, config_file: config });
  const { answer } = await ask(stage, images, asked);
  expect(answer).toMatchObject({ success: false });
  expect(answer!.cr_errmsg).toMatch(
    /^\(00\.000000\) Error \(recriu\): .*\nblocker\[cgroup-missing\]: /,
  );
});

test("edited images take the place of those that the request names; the log stays in its work directory", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["fifo", "99", "0", "reset"]);
  const images = await dumpByOld(stage, pid);
  const bare = await ask(stage, images, restore(), { program: criu });
  expect(bare.log).toContain("Inconsistent sched params received");

  const done = await ask(stage, images, restore({ notify_scripts: true }));
  expect(done.answer).toMatchObject({ success: true, restore: { pid } });
  expect(done.stdout).toStartWith("notified ");
  expect(done.log).toContain("verified: ");
  expect((await run(stage, ["chrt", "-p", `${pid}`])).stdout).toContain(
    "SCHED_FIFO|SCHED_RESET_ON_FORK",
  );
});
