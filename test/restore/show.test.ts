/** What `recriu show` and `recriu explain` print. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStage, recriu } from "./stage.ts";

test("show: the tree with its threads, files, sockets, cgroups and memory", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid, images } = await startDumped(stage, "x11-server", [
    sockets,
    join(stage.dir, "progress"),
  ]);
  const { exit, stdout } = await recriu(stage, ["show", "-D", images]);
  expect(exit).toBe(0);
  expect(stdout).toStartWith(`${images}: x11-server\nwritten 20`);
  expect(stdout).toContain("2 tasks, 3 threads, ");
  // The words that it was called with are in its memory.
  const [, own, child] =
    /^ *(\d+) +0 +alive .* KiB +6 {2}\S+x11-server .*\{2 threads}\n *(\d+) .*└─ /m.exec(stdout)!;
  expect(Number(own)).toBe(pid);
  expect(stdout).toContain(`listens     unix ${sockets}/X7 (${pid}), unix @${sockets}/X7 (${pid})`);
  expect(stdout).toMatch(/^scheduling {2}\d+ SCHED_FIFO\|SCHED_RESET_ON_FORK 99$/m);

  const all = (await recriu(stage, ["show", images, "--all"])).stdout;
  expect(all).toContain(`unix socket ${sockets}/X7, listening`);
  expect(all).toContain(join(stage.dir, "progress"));
  expect(all).toMatch(/KiB saved {2}[0-9a-f]+-[0-9a-f]+ rw-p \[stack]$/m);
  // What the other end has just said may wait there.
  expect(all).toMatch(
    new RegExp(`^unix +stream +connected +${sockets}/X7 +- +${pid} +${child} +(-|\\d+)$`, "m"),
  );
  const one = await recriu(stage, ["show", images, `--pid=${child}`, "--env"]);
  expect(one.stdout).not.toContain(`\n${pid} `);
  expect(one.stdout).toContain("\n1 of 2 tasks; of all ");
  expect(one.stdout).toContain("  WORKLOAD_ERRORS=");
  expect((await recriu(stage, ["show", images, "--pid=1"])).exit).toBe(2);

  const json = JSON.parse((await recriu(stage, ["show", images, "--json", "--memory"])).stdout);
  expect(json.tasks).toHaveLength(2);
  expect(json.tasks[0].argv).toContain(sockets);
  expect(json.tasks[0].mappings.length).toBeGreaterThan(10);
  expect(json.memory).toBeGreaterThan(4096);

  // A page replaces what is at its place, and follows no link there.
  const [page, other] = [join(stage.dir, "page.html"), join(stage.dir, "other")];
  writeFileSync(other, "");
  symlinkSync(other, page);
  expect(await recriu(stage, ["show", images, "--html", page])).toMatchObject({ exit: 0 });
  expect([readFileSync(other, "utf8"), lstatSync(page).mode & 0o177777]).toEqual(["", 0o100600]);
  const html = readFileSync(page, "utf8");
  expect(html).toContain(`unix ${sockets}/X7`);
  for (const { pid: task } of json.tasks) expect(html).toContain(`id="task-${task}"`);
  expect((await recriu(stage, ["show", images, "--html", "-"])).stdout).toStartWith(
    "<!doctype html>",
  );
  for (const [words, why] of [
    [[images, "--html", "/dev/null"], "/dev/null: it is no regular file"],
    [[images, "--html", "/dev/stdout"], "/dev/stdout: it is a name of a descriptor"],
    [[images, "--html", stage.dir], "it is no regular file"],
    [[images, "--html", page, "--json"], "leave --format and --json out"],
    [[stage.dir, "--html", page], "--html shows one"],
  ] as const)
    expect(await recriu(stage, ["show", ...words])).toMatchObject({
      exit: expect.any(Number),
      stderr: expect.stringContaining(why),
    });

  // A directory of checkpoints is a table.
  const several = (await recriu(stage, ["show", stage.dir])).stdout.split("\n");
  expect(several[0]).toMatch(/^CHECKPOINT +WRITTEN +TASKS/);
  expect(several.some((row) => row.startsWith(images.split("/").at(-1)!))).toBe(true);

  rmSync(join(images, `mm-${pid}.img`));
  const broken = await recriu(stage, ["show", "-D", images]);
  expect(broken.exit).toBe(6);
  expect(broken.stderr).toContain(`mm-${pid}.img`);
});

test("what only reads images does so where no machine code may be made, by which libc is called otherwise", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "many", ["1", "0", "0", "0"]);
  for (const words of [
    ["show", "--json"],
    ["memory", "--json"],
  ]) {
    const said = await recriu(stage, [...words, images]);
    expect(said.exit).toBe(0);
    expect(await recriu(stage, [...words, images], { env: { BUN_JSC_useJIT: "0" } })).toEqual(said);
  }
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
  expect((await recriu(stage, ["restore", "--help-criu"])).stdout).toContain("--manage-cgroups");
  expect((await recriu(stage, ["help", "restore"])).stdout).toContain("--dry-run");
  expect((await recriu(stage, ["version"])).stdout).toStartWith("recriu ");
  for (const [words, meant] of [
    [["restor"], "did you mean restore"],
    [["restore", "--verfy=off"], "did you mean --verify"],
    [["restore", "--manage-cgroup=x"], "--manage-cgroups is ignore"],
    [["verify", "--pidd=1"], "did you mean --pid"],
    [["show", "--fils"], "there is no option --fils (did you mean --files?)"],
    [["show", "--pid"], "--pid wants a value"],
    [["undo", "all"], "it takes no operand, and all is one"],
  ] as const)
    expect([words, (await recriu(stage, [...words])).stderr]).toEqual([
      words,
      expect.stringContaining(meant),
    ]);
  const wrong = await recriu(stage, ["restore", "--frobnicate", "--json"]);
  expect(JSON.parse(wrong.stdout)).toMatchObject({ schema: 1, exit: 2 });
});
