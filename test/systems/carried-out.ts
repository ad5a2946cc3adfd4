/** Checkpoints for the other systems: of a program that is the same everywhere, and of one of this system, packed with what it uses. */
import { dump, openStage, recriu, start, waitFor } from "../restore/stage.ts";
import { compile } from "../restore/stage/compile.ts";
import { carried, highNumbers, own } from "./left.ts";
import { expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** For the others, in the place of what an earlier run has left. */
function carry(from: string, name: string): void {
  const to = join(carried, own, name);
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}

test("a program without libraries, real-time, with SCHED_RESET_ON_FORK", async () => {
  await using stage = openStage();
  highNumbers();
  const { pid } = await start(stage, "sched", ["fifo", "42", "0", "reset"], {
    program: compile("sched", true),
  });
  carry(await dump(stage, pid), "alone");
});

test("perl of this system, with its libraries", async () => {
  await using stage = openStage();
  const log = `/tmp/said-${own}`; // gone at the reboot; the pack has it
  const say =
    'open(L, ">>", $ARGV[0]); select(L); $| = 1; for (;;) { print "said\\n"; select(undef, undef, undef, 0.2) }';
  writeFileSync(log, "");
  highNumbers();
  const { pid } = await stage.supervisor.spawn(["perl", "-e", say, log], { cwd: "/" });
  await waitFor("perl", () => existsSync(log) && readFileSync(log, "utf8").length > 10);
  const images = await dump(stage, pid);
  const pack = join(stage.dir, "pack");
  expect(await recriu(stage, ["seal", "--with-files", images])).toMatchObject({ exit: 0 });
  expect(await recriu(stage, ["pack", images, "-o", pack])).toMatchObject({ exit: 0 });
  carry(images, "perl");
  carry(pack, "perl.pack");
});
