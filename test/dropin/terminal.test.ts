/** Jobs on a terminal: they belong to it, its ^C reaches CRIU and the tree, and a watcher is none of its business. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  alive,
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  run,
  start,
  waitFor,
} from "../restore/stage.ts";
import { link } from "./as-criu.ts";

test("--shell-job: the tree is on the caller's terminal, and ^C ends CRIU by its signal", async () => {
  await using stage = openStage();
  const terminal = await start(stage, "terminal", ["job"]);
  const job = descendants(terminal.pid).at(-1)!.pid;
  const images = await dump(stage, job, ["--shell-job"]);
  await killTree(stage, terminal.pid);
  const outcomes = [];
  for (const program of [criu, link(stage)]) {
    const keyboard = join(stage.dir, `keyboard-${outcomes.length}`);
    await run(stage, ["mkfifo", keyboard]);
    const command = `${program} restore -j -D ${images} -v4 -o ${outcomes.length}.log`;
    const words = `exec 3<>${keyboard}; exec script -qec "${command}" /dev/null <&3`;
    const done = run(stage, ["sh", "-c", words], { env: { RECRIU_CRIU: criu } });
    const log = join(images, `${outcomes.length}.log`);
    await waitFor(
      "the tree to run",
      () => existsSync(log) && readFileSync(log, "utf8").includes("Tasks resumed."),
    );
    const { stdout: where } = await run(stage, ["ps", "-o", "tty=,stat=", "-p", `${job}`]);
    writeFileSync(keyboard, "\u0003");
    const { exit, stdout } = await done;
    outcomes.push({ exit, stdout, where: where.replace(/\d+/, "N") });
    expect(alive(job)).toBe(false);
  }
  expect(outcomes[1]).toEqual(outcomes[0]!);
  expect(outcomes[0]!.where).toContain("pts/N");
});
