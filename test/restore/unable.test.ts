/** Limits, full disks, streams that take nothing: recriu says what it could not do, and exits with a code of its contract. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { ptr } from "bun:ffi";
import { closeSync, constants, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { libc } from "../../src/sys/libc.ts";
import { link } from "../dropin/as-criu.ts";
import { alive, criu, killTree, openStage, recriuBinary, run, type Stage } from "./stage.ts";

/** A command after what a shell does to the process that becomes it. */
const after = (stage: Stage, before: string, ...words: string[]) =>
  run(stage, ["bash", "-c", `${before}; exec "$@"`, "bash", ...words], {
    env: { RECRIU_CRIU: criu, NO_COLOR: "1" },
  });

async function plain(stage: Stage) {
  return startDumped(stage, "sched", ["other", "0", "5"]);
}

const NO_ROOM = `recriu: its limits leave no room to start: 32 descriptors (ulimit -Hn), 256 KiB of stack (ulimit -s) and 4 GiB of addresses (ulimit -v) are needed\n`;

test("limits with which the runtime would die: each name says it before", async () => {
  await using stage = openStage();
  const runtime = join(stage.dir, "recriu-runc");
  symlinkSync(recriuBinary, runtime);
  for (const limit of ["-v 150000", "-v 400000", "-s 64", "-s 128", "-n 4", "-n 8"])
    for (const program of [recriuBinary, link(stage), runtime])
      expect(await after(stage, `ulimit ${limit}`, program, "--version")).toEqual({
        exit: 3,
        stdout: "",
        stderr: NO_ROOM,
      });
});

test("with the least of each it looks, restores and verifies", async () => {
  await using stage = openStage();
  const { pid, images } = await plain(stage);
  for (const limit of ["-Sv 4194304", "-Ss 256", "-Sn 8"]) {
    const words = ["restore", "-d", "-D", images, "-o", "r.log"];
    const done = await after(stage, `ulimit ${limit}`, recriuBinary, ...words);
    expect(done).toMatchObject({ exit: 0, stderr: expect.stringContaining("verified: ") });
    await killTree(stage, pid);
  }
  const looked = await after(stage, "ulimit -n 32", recriuBinary, "preflight", "-D", images);
  // CRIU needs more, which is a finding.
  expect(looked).toMatchObject({ exit: 3, stderr: expect.stringContaining("[fd-too-big]") });
});

/** The same outside the stage's files: what is written to stderr comes over a pipe. */
function told(stage: Stage, before: string, words: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    ["bash", "-c", `${before}; exec "$@"`, "bash", recriuBinary, ...words],
    { cwd: stage.dir, env: { ...process.env, RECRIU_CRIU: criu, NO_COLOR: "1" } },
  );
  return { words, exit: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** What takes nothing that is written to stdout, and what is said of it. */
const full = { "exec >/dev/full": "ENOSPC", "ulimit -f 0; exec >file": "EFBIG" };

test("what cannot be written to stdout is told, and is no success; but what runs, runs", async () => {
  await using stage = openStage();
  const { images, pid } = await plain(stage);
  const commands = [
    ["--version"],
    ["--help"],
    ["show", "--help"],
    ["show", "-D", images],
    ["show", "--json", "-D", images],
    ["memory", images],
    ["diff", images, images, "--json"],
    ["preflight", "--json", "-D", images],
    ["preflight", "--list"],
    ["explain", "3"],
    ["explain", "--list"],
  ];
  for (const [before, code] of Object.entries(full))
    for (const words of commands)
      expect(told(stage, before, words)).toEqual({
        words,
        exit: 1,
        stdout: "",
        stderr: expect.stringContaining(`recriu: not all could be written to stdout: ${code}`),
      });
  const restored = ["restore", "--json", "-d", "-D", images, "-o", "r.log"];
  const done = await after(stage, "exec >/dev/full", recriuBinary, ...restored);
  expect(done).toMatchObject({ exit: 0, stderr: expect.stringContaining("ENOSPC") });
  expect(alive(pid)).toBe(true);
});

test("a reader that is gone is no error, one that is slow gets all", async () => {
  await using stage = openStage();
  const { images } = await plain(stage);
  const words = ["preflight", "--json", "-D", images];
  const gone = `exec > >(exec <&-; echo >ready; sleep 5); until [ -e ready ]; do :; done`;
  expect(told(stage, gone, words)).toMatchObject({ exit: 0, stderr: "" });
  // explain --list has more than a pipe holds.
  const whole = await run(stage, [recriuBinary, "explain", "--list"]);
  expect(whole.stdout.length).toBeGreaterThan(100_000);
  const ends = new Int32Array(2);
  expect(libc().pipe2(ptr(ends), constants.O_NONBLOCK)).toBe(0);
  const [from, to] = ends as unknown as [number, number];
  const child = Bun.spawn([recriuBinary, "explain", "--list"], { stdout: to, stderr: "inherit" });
  closeSync(to);
  await Bun.sleep(500); // until it waits
  const late = await new Response(Bun.file(from).stream()).text();
  expect([await child.exited, late === whole.stdout]).toEqual([0, true]);
  closeSync(from);
});

/** Words before a command: /run, /dev/shm, /tmp and the rest of what is written to are as full as they can be. */
const onFullDisks = [
  "unshare",
  "--mount",
  "bash",
  "-ec",
  "for place in /run /dev/shm /tmp; do mount -t tmpfs -o size=16k,mode=1777 tmpfs $place; " +
    'cat /dev/zero >$place/fill 2>/dev/null || true; done; exec "$@"',
  "bash",
];

test("full disks: what needs none is done, what needs one is refused, and nothing stays", async () => {
  await using stage = openStage();
  const { images } = await plain(stage);
  const env = { RECRIU_CRIU: criu, NO_COLOR: "1" };
  // The stage itself is below /tmp.
  const work = "/var/tmp/recriu-full";
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  try {
    await run(stage, ["cp", "-r", images, join(work, "images")]);
    const tar = ["tar", "-C", work, "--transform", "s,^images,checkpoint,", "-cf", `${work}/a.tar`];
    expect((await run(stage, [...tar, "images"])).exit).toBe(0);
    const dir = join(work, "images");
    const archive = [...onFullDisks, recriuBinary, "preflight", join(work, "a.tar")];
    expect(await run(stage, archive, { env })).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining("ENOSPC"),
    });
    const looked = [...onFullDisks, recriuBinary, "preflight", "-D", dir];
    expect(await run(stage, looked, { env })).toMatchObject({ exit: 0 });
    const words = ["restore", "-d", "-D", dir, "-W", work, "-o", "r.log"];
    const restored = await run(stage, [...onFullDisks, recriuBinary, ...words], { env });
    expect(restored).toMatchObject({
      exit: 0,
      stderr: expect.stringMatching(/note: no journal is kept.*ENOSPC[\s\S]*verified: /),
    });
    expect(readdirSync(work).sort()).toEqual(["a.tar", "images", "r.log", "stats-restore"]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
