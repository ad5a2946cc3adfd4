/** Checkpoints for the other systems: of a program that is the same everywhere, and of one of this system, packed with what it uses. */
import { dump, openStage, recriu, run, type Stage, start, waitFor } from "../restore/stage.ts";
import { compile } from "../restore/stage/compile.ts";
import { carried, highNumbers, own } from "./left.ts";
import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

async function carry(stage: Stage, images: string, name: string): Promise<void> {
  mkdirSync(join(carried, own), { recursive: true });
  const pack = join(carried, own, `${name}.pack`);
  expect(await recriu(stage, ["seal", "--with-files", images])).toMatchObject({ exit: 0 });
  expect(await recriu(stage, ["pack", images, "-o", pack])).toMatchObject({ exit: 0 });
  cpSync(images, join(carried, own, name), { recursive: true });
}

test("a program without libraries", async () => {
  await using stage = openStage();
  highNumbers();
  const { pid } = await start(stage, "sched", ["other", "0", "0"], {
    program: compile("sched", true),
  });
  await carry(stage, await dump(stage, pid), "alone");
});

test("a shell of this system, with its libraries", async () => {
  await using stage = openStage();
  const log = `/srv/left/said-${own}`;
  mkdirSync("/srv/left", { recursive: true });
  const say = 'while :; do echo said; read -t 0.2 line <>/dev/zero; done >>"$0"';
  writeFileSync(log, "");
  highNumbers();
  const { pid } = await stage.supervisor.spawn(["bash", "-c", say, log], { cwd: "/" });
  await waitFor("the shell", () => existsSync(log) && readFileSync(log, "utf8").length > 10);
  await run(stage, ["true"]);
  await carry(stage, await dump(stage, pid), "shell");
});
