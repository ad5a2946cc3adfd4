/** CRIU is started before there is a plan, and held until there is one: nothing may show that it was, if it may not go on. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  alive,
  criu,
  descendants,
  forgetKernel,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  type Stage,
  stateOf,
  waitFor,
} from "./stage.ts";

/** A CRIU that takes long to say which one it is: as long as that, recriu has no plan. */
function reticent(stage: Stage): string {
  const script = join(stage.dir, "reticent");
  writeFileSync(
    script,
    `#!/bin/sh\ncase "$*" in *--version*) sleep 1.5 ;; esac\nexec ${criu} "$@"\n`,
  );
  chmodSync(script, 0o755);
  return script;
}

/** A dumped task, with a log of an earlier restore, and the words to restore it. */
async function dumped(stage: Stage) {
  const { pid, images } = await startDumped(stage);
  const log = join(stage.dir, "restore.log");
  writeFileSync(log, "of an earlier restore\n");
  const words = ["restore", "-d", "-D", images, "-W", stage.dir, "-o", "restore.log", "-v4"];
  const { run, shm } = stateOf(stage);
  forgetKernel(stage);
  const shadows = () =>
    [run, shm, stage.dir].flatMap((place) =>
      readdirSync(place).filter((name) => name.startsWith(".recriu-")),
    );
  return { pid, images, log, words, shadows };
}

/** Start a restore, and return when its CRIU waits for the inventory. */
async function untilHeld(stage: Stage, asked: string[]) {
  const child = await stage.supervisor.spawn(
    ["env", `RECRIU_CRIU=${reticent(stage)}`, recriuBinary, ...asked],
    { cwd: stage.dir },
  );
  const held = () =>
    descendants(child.pid).find(({ pid }) => {
      try {
        const called = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        // read(2) is number 0 on x86-64, and its descriptor a pipe of recriu's.
        const [call, fd] = readFileSync(`/proc/${pid}/syscall`, "utf8").split(" ");
        return called.includes("restore") && call === "0" && Number(fd) > 2;
      } catch {
        return false; // it has just ended
      }
    })?.pid;
  let pid: number | undefined;
  await waitFor("CRIU to be held", () => (pid = held()) !== undefined);
  return { child, criu: pid! };
}

test("a CRIU that is held has changed nothing, and goes on when the plan is there", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, log, words, shadows } = await dumped(stage);
  const { child } = await untilHeld(stage, words);
  expect(alive(pid)).toBe(false);
  expect(readFileSync(log, "utf8")).toBe("of an earlier restore\n");
  expect(shadows()).toHaveLength(1);
  expect(await child.exited).toBe(0);
  expect(alive(pid)).toBe(true);
  expect(shadows()).toEqual([]);
  const { mode } = statSync(log);
  const text = readFileSync(log, "utf8");
  // Its file was there: CRIU keeps its mode, and begins it anew.
  expect([mode & 0o777, text.includes("earlier")]).toEqual([0o644, false]);
  expect(text).toContain("Restore finished successfully");
});

for (const signal of ["SIGKILL", "SIGTERM"] as const)
  test(`recriu dies of ${signal} while CRIU is held: CRIU ends, and nothing was restored`, async () => {
    await using stage = openStage({ ownState: true });
    const { pid, images, log, words, shadows } = await dumped(stage);
    const held = await untilHeld(stage, words);
    process.kill(held.child.pid, signal);
    await waitFor("CRIU's end", () => !alive(held.criu));
    expect(alive(pid)).toBe(false);
    expect(readFileSync(log, "utf8")).toBe("of an earlier restore\n");
    // Like all that a killed recriu leaves, its shadow is for the next one.
    expect(shadows()).toHaveLength(1);
    expect((await recriu(stage, ["undo"])).exit).toBe(0);
    expect(shadows()).toEqual([]);
    expect((await recriu(stage, ["restore", "-d", "-D", images])).exit).toBe(0);
  });

test("a plan that is blocked: no word of CRIU's, no shadow, no CRIU", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, words, log, shadows } = await dumped(stage);
  expect((await recriu(stage, words)).exit).toBe(0);
  writeFileSync(log, "of an earlier restore\n");
  const blocked = await recriu(stage, words);
  expect(blocked.exit).toBe(3);
  expect(blocked.stderr).toContain("blocker[already-running]");
  expect(blocked.stderr).not.toContain("criu/");
  // As CRIU leaves one: not that of an earlier restore, and none of the CRIU that was held.
  expect(readFileSync(log, "utf8")).toEndWith(blocked.stderr);
  expect(shadows()).toEqual([]);
  await killTree(stage, pid);
});

test("a CRIU that fails before it is held fails as it would have", async () => {
  await using stage = openStage({ ownState: true });
  const { images, shadows } = await dumped(stage);
  const failing = join(stage.dir, "failing");
  const says = "echo 'Error (criu/kerndat.c:1): no such kernel' >&2; exit 7";
  const script = `case "$*" in *--version*) exec ${criu} "$@" ;; *check*) exit 0 ;; esac\n${says}\n`;
  writeFileSync(failing, `#!/bin/sh\n${script}`);
  chmodSync(failing, 0o755);
  const { exit, stderr } = await recriu(stage, ["restore", "-D", images, `--criu=${failing}`]);
  expect(exit).toBe(7);
  expect(stderr).toContain("no such kernel");
  expect(shadows()).toEqual([]);
});

test("a CRIU that wants another image first is started once more, and restores", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, images, shadows } = await dumped(stage);
  const other = join(stage.dir, "other");
  const wants = `for word; do case $word in --images-dir=*) dir=\${word#*=} ;; esac; done
[ -z "$dir" ] || [ -e "$dir/pstree.img" ] || { echo 'no pstree.img' >&2; exit 1; }`;
  writeFileSync(other, `#!/bin/sh\n${wants}\nexec ${criu} "$@"\n`);
  chmodSync(other, 0o755);
  const done = await recriu(stage, ["restore", "-d", "-D", images, `--criu=${other}`]);
  expect(done.exit).toBe(0);
  expect(done.stderr).not.toContain("pstree.img");
  expect(alive(pid)).toBe(true);
  expect(shadows()).toEqual([]);
});

test("CRIU's log says to its file, or to stderr, what it says unheld", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, images } = await dumped(stage);
  const loud = await recriu(stage, ["restore", "-d", "-D", images, "-v4"]);
  expect(loud.exit).toBe(0);
  await killTree(stage, pid);
  forgetKernel(stage);
  // A user's own script sees the images: then CRIU is not held.
  const unheld = await recriu(stage, [
    "restore",
    "-d",
    "-D",
    images,
    "-v4",
    "--action-script=/bin/true",
  ]);
  expect(unheld.exit).toBe(0);
  const said = (text: string) =>
    text
      .split("\n")
      .map((line) => /^\([\d.]+\) (?:\s*\d+: )?([A-Z][a-z]+ [a-z]+)/.exec(line)?.[1])
      .filter((begin) => begin !== undefined && !/^(?:Script|Running)/.test(begin));
  expect(said(loud.stderr).length).toBeGreaterThan(40);
  expect(new Set(said(loud.stderr))).toEqual(new Set(said(unheld.stderr)));
});

test("with what an earlier one found out of the kernel CRIU starts fast, and is not held", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, images } = await dumped(stage);
  const [asked, noting] = [join(stage.dir, "asked"), join(stage.dir, "noting")];
  writeFileSync(noting, `#!/bin/sh\necho "$*" >>${asked}\nexec ${criu} "$@"\n`, { mode: 0o755 });
  for (const held of [true, false]) {
    writeFileSync(asked, "");
    const done = await recriu(stage, ["restore", "-d", "-D", images, `--criu=${noting}`]);
    expect(done.exit).toBe(0);
    // Held, it is given a directory of recriu's.
    expect(readFileSync(asked, "utf8").includes("--images-dir=")).toBe(held);
    await killTree(stage, pid);
  }
});

test("a dry run starts no CRIU but to ask which it is", async () => {
  await using stage = openStage({ ownState: true });
  const { pid, images, shadows } = await dumped(stage);
  const [asked, noting] = [join(stage.dir, "asked"), join(stage.dir, "noting")];
  writeFileSync(noting, `#!/bin/sh\necho "$*" >>${asked}\nexec ${criu} "$@"\n`, { mode: 0o755 });
  const words = ["restore", "--dry-run", "-D", images, `--criu=${noting}`];
  expect((await recriu(stage, words)).exit).toBe(0);
  expect(readFileSync(asked, "utf8")).not.toMatch(/^(.* )?restore( |$)/m);
  expect(alive(pid)).toBe(false);
  expect(shadows()).toEqual([]);
});
