/** As an ordinary user: what cannot be read is told as that, never as empty or absent. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "./report.ts";
import { criu, openStage, recriuBinary, run, type Stage } from "./stage.ts";

const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
const asNobody = (stage: Stage, words: readonly string[]) =>
  run(stage, [...nobody, recriuBinary, ...words], { cwd: "/" });

test("checks: behind a closed directory nothing is missing, nothing is to be made, and no check crashes", async () => {
  await using stage = openStage();
  const closed = join(stage.dir, "closed");
  const at = (name: string) => join(closed, name);
  mkdirSync(at("cwd"), { recursive: true });
  writeFileSync(at("file"), "");
  const objects = [
    "chdir",
    at("cwd"),
    "read",
    at("file"),
    "listen",
    at("socket"),
    "fifo",
    at("fifo"),
  ];
  const { images } = await startDumped(stage, "objects", objects);
  await run(stage, ["chmod", "-R", "a+rX", stage.dir]);
  chmodSync(closed, 0o700);
  const options = ["--pidfile", "--action-script", "--libdir", "-o", "-W", "--cgroup-yard"];
  const given = options.flatMap((option) => [option, at(`of${option}`)]);
  const words = ["preflight", "-D", images, "--json", `--criu=${criu}`, ...given];
  const { stdout } = await asNobody(stage, words);
  const { findings } = JSON.parse(stdout) as Report;
  expect(findings.length).toBeGreaterThan(6);
  expect(findings.filter(({ id }) => id === "check-crashed")).toEqual([]);
  const about = findings.filter(({ subject }) => subject.startsWith(closed));
  expect(about.length).toBeGreaterThan(6);
  for (const { id, message, remedy } of about) {
    expect([id, message]).toEqual([id, expect.stringContaining("Permission denied")]);
    expect([id, remedy.command ?? ""]).toEqual([
      id,
      expect.not.stringMatching(/mkdir|install|mkfifo|chmod|touch/),
    ]);
  }
});

test("explain, undo, show and preflight say that they could not look", async () => {
  await using stage = openStage();
  chmodSync(stage.dir, 0o755);
  const closed = join(stage.dir, "closed");
  mkdirSync(closed);
  writeFileSync(join(closed, "restore.log"), "Error (criu/x.c:1): anything\n");
  writeFileSync(join(stage.dir, "log"), "Error (criu/x.c:1): anything\n", { mode: 0o600 });
  chmodSync(closed, 0o700);
  for (const log of [closed, join(closed, "restore.log"), join(stage.dir, "log")]) {
    const { exit, stdout, stderr } = await asNobody(stage, ["explain", log]);
    expect([log, exit, stdout]).toEqual([log, 2, ""]);
    expect(stderr).toMatch(/^recriu explain: \S+ cannot be read: /);
    expect(stderr).toContain("is not known");
  }
  // The directories of logs that are directories themselves have none.
  const odd = join(stage.dir, "odd");
  mkdirSync(join(odd, "a.log"), { recursive: true });
  expect((await asNobody(stage, ["explain", odd])).stderr).toContain("there is no log of CRIU in");
  for (const command of ["show", "preflight", "verify"]) {
    const { exit, stderr } = await asNobody(stage, [command, "-D", closed]);
    expect([command, exit]).toEqual([command, 2]);
    expect(stderr).toContain("Permission denied");
  }
  // /run/recriu is root's.
  await run(stage, ["mkdir", "-p", "-m", "0700", "/run/recriu"]);
  const undo = await asNobody(stage, ["undo"]);
  expect(undo.exit).toBe(1);
  expect(undo.stderr).toContain("whether there is anything to undo is not known");
});
