/** A shell script in CRIU's place says what it finds. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  criuWords,
  errorLines,
  firstCause,
  requestFrom,
  type Start,
  startCriu,
} from "../../src/criu/index.ts";

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-start-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function requestOf(words: string[], env: Record<string, string> = {}) {
  const result = requestFrom(words, env, undefined, () => undefined);
  if (!result.ok) throw new Error(result.problem);
  return result.request;
}

/** Start `script` as CRIU; it may write to "$OUT". */
async function run(script: string, words: string[], more: Partial<Start> = {}) {
  const path = join(dir, `criu-${Math.random()}`);
  const out = `${path}.out`;
  writeFileSync(path, `#!/bin/sh\nOUT=${out}\n${script}\n`);
  chmodSync(path, 0o755);
  writeFileSync(out, "");
  const child = startCriu({ path, request: requestOf(words), ...more });
  const exit = await child.exited;
  return { exit, out: readFileSync(out, "utf8"), log: await child.log() };
}

test("gets the user's words unchanged, recriu's before them", async () => {
  const words = ["-Dx", "--dry-run", "-dj", "--no-tcp-close", "--root", "a b"];
  const { out, exit } = await run('printf "%s\\n" "$@" >$OUT', words, {
    options: ["--manage-cgroups=ignore"],
  });
  expect(out).toBe("restore\n--manage-cgroups=ignore\n-Dx\n-dj\n--no-tcp-close\n--root\na b\n");
  expect(exit).toEqual({ code: 0, signal: null });
});

test("where operands end the options, the command comes last", () => {
  const request = requestOf(["-d", "-o", "x"]);
  expect(criuWords(request, ["--link-remap"], true)).toEqual([
    "--link-remap",
    "-d",
    "-o",
    "x",
    "--",
    "restore",
  ]);
  const command = requestOf(["-o", "x", "--exec-cmd", "--", "sh", "-c"], { POSIXLY_CORRECT: "" });
  expect(criuWords(command, [], true)).toEqual([
    "-o",
    "x",
    "--exec-cmd",
    "--",
    "restore",
    "sh",
    "-c",
  ]);
});

test("gets the environment without the runtime's variables", async () => {
  const env = {
    PATH: process.env.PATH,
    CRIU_FAULT: "1",
    BUN_OPTIONS: "x",
    NODE_ENV: "x",
    LANG: "C",
  };
  const { out } = await run("env >$OUT", [], { env });
  expect(out).toContain("CRIU_FAULT=1\n");
  expect(out).not.toMatch(/^(BUN|NODE)_/m);
});

test("exit codes and signals", async () => {
  expect((await run("exit 7", [])).exit).toEqual({ code: 7, signal: null });
  expect((await run("kill -TERM $$", [])).exit).toEqual({ code: 143, signal: "SIGTERM" });
});

test("finds the descriptors that options name under their numbers, and no others", async () => {
  const named = openSync(join(dir, "named"), "w");
  const other = openSync(join(dir, "other"), "w");
  const extra = openSync(join(dir, "extra"), "w");
  try {
    const words = ["--inherit-fd", `fd[${named}]:pipe:[1]`, "--status-fd", "8191"];
    const { out } = await run("ls -l /proc/$$/fd >$OUT", words, {
      fds: new Map([[named + 40, extra]]),
    });
    expect(out).toMatch(new RegExp(` ${named} -> .*/named$`, "m"));
    expect(out).toMatch(new RegExp(` ${named + 40} -> .*/extra$`, "m"));
    expect(out).not.toContain("/other");
  } finally {
    for (const fd of [named, other, extra]) closeSync(fd);
  }
});

test("the callbacks stand around the spawn", async () => {
  const seen: string[] = [];
  await run(":", [], {
    beforeSpawn: () => seen.push("before"),
    afterSpawn: () => seen.push("after"),
  });
  expect(seen).toEqual(["before", "after"]);
  const missing = {
    path: join(dir, "missing"),
    request: requestOf([]),
    afterSpawn: () => seen.push("again"),
  };
  expect(() => startCriu(missing)).toThrow();
  expect(seen).toEqual(["before", "after", "again"]);
});

const failure = "Error (criu/a.c:1): mnt: No";

test("its errors are had from stderr", async () => {
  const { log } = await run(`echo info >&2; echo "${failure}" >&2; exit 1`, []);
  expect(firstCause(errorLines(log))).toBe("mnt: No");
});

test("its errors are had from the log file, but not from one of an earlier run", async () => {
  const words = ["-D", dir, "-o", "restore.log"];
  writeFileSync(join(dir, "restore.log"), "Error (criu/a.c:1): stale\n");
  expect((await run("exit 1", words)).log).toEqual([]);
  const { log } = await run(`echo "${failure}" >${dir}/restore.log; exit 1`, words);
  expect(log).toEqual([failure]);
});

test("its errors are had from the log files of its tasks", async () => {
  const script = `echo "${failure}" >${dir}/tasks.log.77; echo "${failure}" >${dir}/tasks.log.old; exit 1`;
  const { log } = await run(script, ["-D", dir, "-o", "tasks.log", "--log-pid"]);
  expect(log).toEqual([failure]);
});

test("stderr that belongs to the restored tasks or to a command is not touched", async () => {
  for (const words of [
    ["--inherit-fd", "fd[2]:pipe:[5]"],
    ["--exec-cmd", "true"],
  ]) {
    const { out } = await run("readlink /proc/$$/fd/2 >$OUT", words);
    expect(out).toBe(`${Bun.spawnSync(["readlink", `/proc/${process.pid}/fd/2`]).stdout}`);
  }
});

test("a background process that holds stderr does not hold recriu", async () => {
  const { log, out } = await run(`echo "${failure}" >&2; sleep 600 & echo $! >$OUT; exit 1`, []);
  expect(log).toEqual([failure]);
  // It holds it still: killing what has ended would throw.
  process.kill(Number(out), "SIGKILL");
});
