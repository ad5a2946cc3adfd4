/** What `recriu show` and `recriu explain` print. */
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { dump, openStage, recriu, start } from "./stage.ts";

test("show: the tree with its threads, files, sockets, cgroups and memory", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid } = await start(stage, "x11-server", [sockets, join(stage.dir, "progress")]);
  const images = await dump(stage, pid);
  const { exit, stdout } = await recriu(stage, ["show", "-D", images]);
  expect(exit).toBe(0);
  expect(stdout).toContain(`${images}: image format 2`);
  expect(stdout).toMatch(new RegExp(`^${pid} \\S+ \\(alive\\) group ${pid} session ${pid}$`, "m"));
  expect(stdout).toContain("SCHED_FIFO|SCHED_RESET_ON_FORK priority 99");
  expect(stdout).toContain(`unix socket ${sockets}/X7, listening`);
  expect(stdout).toContain(`unix socket @${sockets}/X7, listening`);
  expect(stdout).toContain(join(stage.dir, "progress"));

  const json = JSON.parse((await recriu(stage, ["show", "-D", images, "--json"])).stdout);
  expect(json.tasks).toHaveLength(2);
  expect(json.memory).toBeGreaterThan(4096);

  rmSync(join(images, `mm-${pid}.img`));
  const broken = await recriu(stage, ["show", "-D", images]);
  expect(broken.exit).toBe(6);
  expect(broken.stderr).toContain(`mm-${pid}.img`);
});

test("explain: a check, a line of a log, neither", async () => {
  await using stage = openStage();
  const check = await recriu(stage, ["explain", "unix-socket-dir"]);
  expect(check).toMatchObject({ exit: 0 });
  expect(check.stdout).toContain("/tmp/.X11-unix");
  const line = await recriu(stage, [
    "explain",
    "unix: Can't bind id 0x4d ino 1 addr /tmp/.X11-unix/X7: No such file or directory",
  ]);
  expect(line.stderr).toContain("the directory of the socket /tmp/.X11-unix/X7 does not exist");
  expect((await recriu(stage, ["explain", "no such thing"])).exit).toBe(1);
});

test("usage: what cannot be understood is said, with exit code 2", async () => {
  await using stage = openStage();
  for (const words of [
    ["frobnicate"],
    ["restore", "--frobnicate"],
    ["restore", "--ignore=frobnicate"],
    ["verify", "--frobnicate"],
    ["restore", "--fix=perhaps"],
    ["verify", "-D", stage.dir, "--pid", "x"],
  ]) {
    const { exit, stderr } = await recriu(stage, words);
    expect([words.join(" "), exit === 2 || exit === 6, stderr.length > 10]).toEqual([
      words.join(" "),
      true,
      true,
    ]);
  }
  expect((await recriu(stage, [])).stdout).toContain("preflight");
  expect((await recriu(stage, ["restore", "--help"])).stdout).toContain("--manage-cgroups");
});
