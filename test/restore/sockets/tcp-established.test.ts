/** A real TCP connection, dumped and restored by a CRIU that can dump one on every kernel (4.2 or newer, of scripts/setup), or that of a whole system. */
import { forky } from "../criu.ts";
import { freePort } from "../inet.ts";
import { blockers, finding, report } from "../report.ts";
import { criu, killTree, openStage, recriu, run, start } from "../stage.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const newer = existsSync(forky) ? forky : criu;

test("real TCP connections, dumped and restored", async () => {
  await using stage = openStage();
  const words = [String(freePort()), "pair", join(stage.dir, "progress")];
  const { pid } = await start(stage, "tcp", words);
  const images = join(stage.dir, "images");
  mkdirSync(images);
  const at = ["-D", images, "-W", stage.dir, "-o", "log"];
  const options = ["--tcp-established", "--network-lock=nftables"];
  const dumped = await run(stage, [newer, "dump", "-t", `${pid}`, ...at, ...options]);
  const log = () => readFileSync(join(stage.dir, "log"), "utf8");
  expect([dumped.exit, dumped.exit === 0 ? "" : log()]).toEqual([0, ""]);

  const preflight = await report(stage, "preflight", images, [`--criu=${newer}`]);
  expect(blockers(preflight)).toEqual(["tcp-established"]);
  const bare = await run(stage, [newer, "restore", "-d", ...at]);
  const { criu_message } = finding(preflight, "tcp-established");
  expect([bare.exit, log()]).toEqual([1, expect.stringContaining(criu_message!)]);

  // Connections stay locked until all is known to be well.
  const [script, progress] = [join(stage.dir, "script"), join(stage.dir, "progress")];
  const rename = `[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || mv ${progress} ${progress}.late`;
  writeFileSync(script, `#!/bin/sh\n${rename}\n`, { mode: 0o755 });
  const logged = ["-W", stage.dir, "-o", "log", "-v4"];
  const scripted = [`--criu=${newer}`, "--action-script", script, ...logged];
  expect(await report(stage, "restore", images, scripted)).toMatchObject({ exit: 5 });
  expect(log()).toContain("Aborting restore due to post-restore script");
  renameSync(`${progress}.late`, progress);

  expect(await report(stage, "restore", images, [`--criu=${newer}`])).toMatchObject({
    exit: 0,
    verdict: { result: "match", not_compared: 0 },
  });
  await killTree(stage, pid);

  // Connections that a configuration file has closed are gone: nothing says that they are as they were.
  const config = join(stage.dir, "config");
  writeFileSync(config, "tcp-close\n");
  const closed = await recriu(stage, [
    "restore",
    "-d",
    "-D",
    images,
    "--criu",
    newer,
    "--config",
    config,
  ]);
  expect([closed.exit, closed.stderr]).toEqual([
    0,
    expect.stringMatching(
      /values compared, 4 not compared \(.*TCP connections closed by --tcp-close: 2.*\), what was compared is as it was saved/,
    ),
  ]);
  await killTree(stage, pid);
});

test("connections on ::1 that one end has closed, with and without bytes under way", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "tcp", [String(freePort()), "closing"]);
  const images = join(stage.dir, "images");
  mkdirSync(images);
  const options = ["--tcp-established", "--network-lock=nftables"];
  const dumped = ["dump", "-t", `${pid}`, "-D", images, ...options];
  expect((await run(stage, [newer, ...dumped])).exit).toBe(0);
  const done = await report(stage, "restore", images, [`--criu=${newer}`, "--tcp-established"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.verdict!.differences).toEqual([]);
  await killTree(stage, pid);
});
