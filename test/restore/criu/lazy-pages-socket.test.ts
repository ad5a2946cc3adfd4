import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores } from "../stage-check.ts";
import { criu, killTree, openStage, waitFor } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("lazy-pages-socket: a lazy restore of a whole checkpoint", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "memory", ["plain"]);
  const work = join(stage.dir, "work");
  mkdirSync(work);
  const options = ["--lazy-pages", "-W", work];
  expect((await report(stage, "restore", images, options)).exit).toBe(3);
  const serve = async () => {
    const words = ["lazy-pages", "-D", images, "-W", work, "-o", "lazy.log"];
    const daemon = await stage.supervisor.spawn([criu, ...words]);
    await waitFor("the daemon", () => existsSync(join(work, "lazy-pages.socket")));
    return daemon;
  };
  // A restore that is refused has used the daemon up, and does not say that nothing is gone.
  const script = join(stage.dir, "veto");
  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n", { mode: 0o755 });
  const daemon = await serve();
  const refused = await report(stage, "restore", images, [...options, "--action-script", script]);
  expect(refused.exit).toBe(1);
  expect(refused.failure!.left.join()).toContain("the memory of --lazy-pages");
  await waitFor("the daemon to end", () => daemon.status !== null);
  rmSync(join(work, "lazy-pages.socket"), { force: true });
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "lazy-pages-socket")).exit).toBe(0);
  await restores(stage, images, { options });
  await killTree(stage, pid);
  // What is fetched later is not compared, and not touched either.
  const listening = () => readFileSync("/proc/net/unix", "utf8").includes("lazy-pages.socket");
  await waitFor("the daemon to end", () => !listening());
  rmSync(join(work, "lazy-pages.socket"), { force: true });
  await serve();
  const compared = await report(stage, "restore", images, [...options, "--verify=memory"]);
  expect(compared).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(compared.verdict!.left_out.map(({ reason }) => reason).join()).toContain("fetched");
});
