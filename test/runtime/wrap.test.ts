/** recriu-runc: what is refused, where that is said, and what the runtime is given. A script stands for runc here. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watched } from "../dropin/as-criu.ts";
import { makeDoomedCgroup, openStage, start, waitFor } from "../restore/stage.ts";
import { CALLED, standIn } from "./stand-in.ts";

test("what is blocked is not restored: one line for callers, in the runtime's log too", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  await start(stage, "at-pid", [`${pid}`]);
  const { words, restore, program } = standIn(stage);
  const asked = words(images, `--work-path=${stage.dir}`);
  const line = /^recriu: the restore is blocked: .* \[pid-in-use\].*; nothing was touched; /;
  const refused = await restore(asked);
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringMatching(line)]);
  const log = join(stage.dir, "runtime.log");
  const global = [program, "--log", log, "--log-format=json", ...asked.slice(1)];
  expect((await restore(global)).exit).toBe(1);
  const { level, msg } = JSON.parse(readFileSync(log, "utf8"));
  expect([level, `recriu: ${msg}`]).toEqual(["error", expect.stringMatching(line)]);
});

test("an option that a runtime settles itself answers nothing", async () => {
  await using stage = openStage();
  const doomed = makeDoomedCgroup(stage);
  if (doomed === null) throw new Error("cgroup v2 is not mounted");
  const { images } = await startDumped(stage, "sched", ["other", "0", "0"], {
    cgroups: [doomed.cgroup],
  });
  doomed.spoil();
  const { words, restore } = standIn(stage);
  const { exit, stderr } = await restore(words(images, `--work-path=${stage.dir}`));
  await waitFor("the watcher to end", () => !watched(stage));
  // The container's own cgroups come in the place of those that were saved.
  expect([exit, stderr]).toEqual([CALLED, ""]);
});

test("--auto-dedup is the watcher's; in a configuration file over the request it destroys the images, and is refused", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const { words, restore, bundle } = standIn(
    stage,
    `for word; do echo "$word"; done >${join(stage.dir, "words")}; exit 7`,
  );
  const work = `--work-path=${stage.dir}`;
  expect((await restore(words(images, work, "--auto-dedup"))).exit).toBe(CALLED);
  await waitFor("the watcher to end", () => !watched(stage));
  const given = readFileSync(join(stage.dir, "words"), "utf8").split("\n");
  expect(given).toContain(work);
  expect(given).not.toContain("--auto-dedup");

  const over = join(stage.dir, "criu.conf");
  const config = { root: { path: "rootfs" }, annotations: { "org.criu.config": over } };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  for (const [text, exit] of [
    ["auto-dedup\n", 1],
    ["no-auto-dedup\nauto-dedup\n", 1],
    ["auto-dedup\nno-auto-dedup\n", CALLED],
    ["weak-sysctls\n", CALLED],
  ] as const) {
    writeFileSync(over, text);
    const done = await restore(words(images, work));
    await waitFor("the watcher to end", () => !watched(stage));
    expect([text, done.exit]).toEqual([text, exit]);
    if (exit === 1)
      expect(done.stderr).toContain(`auto-dedup in ${over} has CRIU destroy the images`);
  }
});
