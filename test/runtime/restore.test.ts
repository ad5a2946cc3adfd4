/** recriu-runc before the runtime begins. A script stands for runc here: it says that it was called, or calls CRIU. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watched } from "../dropin/as-criu.ts";
import { compile } from "../restore/stage/compile.ts";
import { criu, openStage, run, type RunOptions, type Stage, waitFor } from "../restore/stage.ts";
import { CALLED, standIn } from "./stand-in.ts";

test("what cannot be looked at is the runtime's, as it is CRIU's; but not where it is untrusted", async () => {
  await using stage = openStage();
  const { words, restore, bundle, empty } = standIn(stage);
  const nowhere = words(join(stage.dir, "nowhere"));
  const noImages = words(empty);
  const check = async (argv: string[]) => {
    expect(await restore(argv)).toEqual({ exit: CALLED, stdout: "", stderr: "" });
    const told = await restore(argv, { RECRIU_DEBUG: "1" });
    expect([told.exit, told.stderr]).toEqual([
      CALLED,
      expect.stringMatching(/^recriu steps aside: /),
    ]);
    const refused = await restore(argv, { RECRIU_UNTRUSTED: "1" });
    expect(refused.stderr).toMatch(/^recriu: untrusted, and not looked at: /);
    expect(refused.exit).toBe(1);
  };
  await check(nowhere);
  await check(noImages);
  rmSync(join(bundle, "config.json"));
  await check(noImages);
});

test("--lazy-pages: nothing is said of a work directory that the runtime is still to make", async () => {
  await using stage = openStage();
  const { words, restore } = standIn(stage);
  const { images } = await startDumped(stage);
  const here = await restore(words(images, "--lazy-pages", `--work-path=${stage.dir}`));
  expect([here.exit, here.stderr]).toEqual([1, expect.stringContaining("[lazy-pages-socket]")]);
  const there = await restore(words(images, "--lazy-pages"));
  await waitFor("the watcher to end", () => !watched(stage));
  expect([there.exit, there.stderr]).toEqual([CALLED, ""]);
});

/** Writes down which configuration files the runtime's environment names, and what is in the first. */
const configs = (stage: Stage) =>
  `{ tr '\\0' '\\n' </proc/$$/environ | grep ^CRIU_CONFIG_FILE=; cat "$CRIU_CONFIG_FILE"; } >${stage.dir}/configs; exit ${CALLED}`;

test("the user's configuration file goes along in recriu's, and only that is named", async () => {
  await using stage = openStage();
  const { words, restore } = standIn(stage, configs(stage));
  const { images } = await startDumped(stage);
  const users = join(stage.dir, "users.conf");
  writeFileSync(users, "weak-sysctls"); // no newline behind it
  const named = async (env: RunOptions["env"] = {}) => {
    const argv = words(images, `--work-path=${stage.dir}`);
    const called = await restore(argv, { CRIU_CONFIG_FILE: users, ...env });
    await waitFor("the watcher to end", () => !watched(stage));
    expect([called.exit, called.stderr]).toEqual([CALLED, ""]);
    return readFileSync(join(stage.dir, "configs"), "utf8");
  };
  const script = String.raw`action-script /proc/\d+/fd/\d+`;
  expect(await named()).toMatch(
    new RegExp(String.raw`^CRIU_CONFIG_FILE=/proc/\d+/fd/\d+\nweak-sysctls\n${script}\n$`),
  );

  // Such a CRIU does not ask recriu: nothing of recriu's is named, and nothing is begun that has to wait for the tree.
  const old = join(stage.dir, "old");
  const says = `case "$*" in *--version*) echo Version: 3.18; exit ;; esac; exec ${criu} "$@"`;
  writeFileSync(old, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  const env = { RECRIU_CRIU: old, RECRIU_IGNORE: "all" };
  expect(await named(env)).toBe(`CRIU_CONFIG_FILE=${users}\nweak-sysctls`);
  const dedup = await restore(words(images, "--auto-dedup", `--work-path=${stage.dir}`), env);
  expect([dedup.exit, dedup.stderr]).toEqual([1, expect.stringContaining("--auto-dedup waits")]);
});

/** recriu-runc is 2 there, and its threads have the numbers that come next. */
const FIRST = 4;

test("recriu moves aside when its own threads have the numbers of the tree", async () => {
  await using stage = openStage();
  const images = join(stage.dir, "images");
  mkdirSync(images);
  const fresh = (script: string) => [
    "unshare",
    "--pid",
    "--fork",
    "--mount-proc",
    "sh",
    "-c",
    script,
  ];
  const steps = [
    `echo ${FIRST - 1} >/proc/sys/kernel/ns_last_pid`,
    `{ setsid ${compile("sched")} ${stage.dir}/ready other 0 0 </dev/null >/dev/null 2>&1 & }`,
    `until [ -e ${stage.dir}/ready ]; do :; done`,
    `${criu} dump -t ${FIRST} -D ${images} -o dump.log`,
  ];
  expect((await run(stage, fresh(steps.join("; ")))).exit).toBe(0);
  const work = join(stage.dir, "work");
  mkdirSync(work);
  const restores = `exec ${criu} restore -d -D ${images} -W ${work} -o restore.log`;
  const { words, restore } = standIn(stage, restores);
  const asked = words(images, `--work-path=${work}`).join(" ");
  const argv = fresh(`${asked}; code=$?; cat /proc/${FIRST}/comm; exit $code`);
  const stuck = await restore(argv, { RECRIU_RENUMBERED: "1" });
  expect([stuck.exit, stuck.stderr]).toEqual([1, expect.stringContaining("[pid-in-use]")]);
  expect(await restore(argv)).toEqual({ exit: 0, stdout: "sched\n", stderr: "" });
});
