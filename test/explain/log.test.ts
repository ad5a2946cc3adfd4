/** recriu explain on logs: the compiled binary, real shapes of logs, and hostile ones. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLog } from "../../src/explain/log.ts";
import { fixture, image } from "../image/fixture.ts";
import { recriuBinary } from "../built.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-explain-"));
afterAll(() => rmSync(dir, { recursive: true }));

const run = (words: string[], { cwd = dir, stdin = "" } = {}) => {
  const done = Bun.spawnSync([recriuBinary, "explain", ...words], {
    cwd,
    stdin: Buffer.from(stdin),
    env: { ...process.env, NO_COLOR: "1" },
  });
  return {
    exit: done.exitCode,
    stdout: done.stdout.toString(),
    stderr: done.stderr.toString(),
  };
};

const LOG = `(00.000081) Version: 4.1.1 (gitid 0)
(00.001000) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
(00.002407)  12: unix: bind
(00.002408)  12: Error (criu/sk-unix.c:1651): unix: Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory
(00.002409)  12: Error (criu/files.c:1221): Unable to open fd=6 id=0x4d
(00.002672) Error (criu/cr-restore.c:2536): Restoring FAILED.
(00.002826) Error (criu/cr-restore.c:1498): 12 killed by signal 9: Killed
`;

test("the first error that is a cause, never what follows from it", () => {
  const report = readLog(LOG.split("\n"));
  expect(report).toMatchObject({ version: "4.1.1", succeeded: false });
  expect(report.cause).toMatchObject({ pid: 12, file: "criu/sk-unix.c", line: 1651 });
  expect(report.explanation).toMatchObject({ check: "unix-socket-dir" });
});

test("a log, a directory, stdin, the error text of a runtime: all lead to the same", () => {
  const log = join(dir, "restore.log");
  writeFileSync(log, LOG);
  const quoted = `runc: criu failed: type NOTIFY errno 0\nlog file: ${log}`;
  for (const [words, options] of [
    [[log], {}],
    [[dir], {}],
    [[], {}],
    [["-"], { stdin: LOG }],
    [[quoted], {}],
    [[`time="2026" level=error msg="criu failed: type NOTIFY errno 0\\nlog file: ${log}"`], {}],
  ] as const) {
    const told = run([...words], options);
    expect([words, told.exit]).toEqual([words, 0]);
    expect(told.stderr).toContain("the directory of the socket /tmp/.X11-unix/X7 does not exist");
    expect(told.stderr).toContain("unix-socket-dir");
  }
  const json = JSON.parse(run([log, "--json"]).stdout);
  expect(json).toMatchObject({ log, explanation: { check: "unix-socket-dir" } });
  rmSync(log);
  expect(run([]).exit).toBe(2);
});

test("ids become paths where the images are", () => {
  const images = join(dir, "images");
  mkdirSync(images);
  const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
  const reg = { id: 0x4d, flags: 0, pos: 0n, fown: noOne, name: "/var/lib/app/data", mnt_id: -1 };
  const files = image("files.img", [{ type: 1, id: 0x4d, reg }]);
  for (const [name, bytes] of Object.entries({ ...fixture(), "files.img": files }))
    writeFileSync(join(images, name), bytes);
  const line = "(00.1) 12: Error (criu/files.c:9): Cannot do it for id 0x4d\n";
  writeFileSync(join(images, "restore.log"), line);
  const told = run([images]);
  expect(told.stderr).toContain("id 0x4d: /var/lib/app/data");
});

test("nothing is known: it says so, and shows the lines around", () => {
  const log = "(00.1) one\n(00.2) two\n(00.3) Error (criu/x.c:1): A new kind of trouble\n";
  const told = run(["-"], { stdin: log });
  expect(told.exit).toBe(1);
  for (const words of ["nothing is known", "(00.1) one", "A new kind of trouble"])
    expect(told.stderr).toContain(words);
  const well = run(["-"], { stdin: "(00.1) Restore finished successfully. Tasks resumed.\n" });
  expect([well.exit, well.stderr]).toEqual([0, expect.stringContaining("succeeded")]);
});

test("a CRIU that reads for ever is known without an error", () => {
  const read = "pie: 1: Preadv 7f:4096... (1 iovs)\npie: 1: `- returned 0\n";
  expect(readLog(read.repeat(9).split("\n")).explanation).toMatchObject({ check: "pages-short" });
});

test("pages of checks and of exit codes, offline", () => {
  expect(run(["unix-socket-dir"]).stdout).toContain("Can't bind id");
  expect(run(["3"]).stdout).toContain("blocked");
  expect(run(["137"]).stdout).toContain("signal 9");
  expect(run(["--list"]).stdout.split("\n").length).toBeGreaterThan(100);
});

test("hostile logs: garbage, escapes, endless lines; nothing of them reaches the terminal as it is", () => {
  const evil = "\u001b]0;owned\u0007\u001b[2J\u009b31m";
  const line = `(00.1) Error (criu/x.c:1): File ${evil} has bad size 1 (expect 2)\n`;
  let seed = 7;
  const random = Buffer.alloc(200_000);
  for (let i = 0; i < random.length; i += 1)
    random[i] = (seed = (seed * 1103515245 + 12345) >>> 0) >>> 16;
  const endless = "Error (".repeat(300_000);
  for (const stdin of [
    line,
    `Error ${evil}`,
    random.toString("latin1"),
    endless,
    "\0".repeat(9999),
  ]) {
    const told = run(["-"], { stdin });
    expect([0, 1]).toContain(told.exit);
    // eslint-disable-next-line no-control-regex
    expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(told.stderr + told.stdout)).toBe(false);
  }
});
