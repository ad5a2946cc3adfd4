/** What misled, of an independent judge's set: facts of another machine, side lines, notices, follow-on lines, facts left unused. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entries } from "../../src/explain/index.ts";
import { logReader } from "../../src/explain/log.ts";
import { helperSays } from "../../src/explain/run.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { captured } from "../../src/report/terminal.ts";
import { recriuBinary } from "../built.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-misled-"));
afterAll(() => rmSync(dir, { recursive: true }));

const run = (what: string, stdin = "") => {
  const done = Bun.spawnSync([recriuBinary, "explain", what], {
    cwd: dir,
    stdin: Buffer.from(stdin),
    env: { ...process.env, NO_COLOR: "1" },
  });
  return done.stdout.toString() + done.stderr.toString();
};
const read = (text: string) => {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  return reader.end();
};
const told = (text: string) =>
  captured(() => printLogReport(read(text), "-", { about: [], kept: undefined, memory: [] }));

test("what this machine's kernel says is told of a file's log alone, as that, and last", () => {
  const log = "(00.1) Error (criu/cr-restore.c:1498): 4194999 killed by signal 9: Killed\n";
  writeFileSync(join(dir, "restore.log"), log);
  const lines = run("restore.log").trimEnd().split("\n");
  expect(lines.at(-1)).toMatch(/^ {2}machine on this machine, which need not be that of the log/);
  expect(lines.filter((line) => line.startsWith("  machine"))).toHaveLength(1);
  expect(lines.join("\n")).not.toMatch(/Killed process|oom-kill:/);
  expect(run("-", log)).not.toMatch(/ {2}machine|this machine/);
});

test("a killed task alone leads to the first error above it, before memory is spoken of", () => {
  const text = told("Error (criu/cr-restore.c:1387): 18474 killed by signal 9: Killed\n");
  const [first, memory] = [text.indexOf("first Error above"), text.indexOf("oom")];
  expect([first > 0, memory > first]).toEqual([true, true]);
});

test("a log that a paste names is read by its whole path alone, and not said to be the paste's", () => {
  const error = "(00.1) Error (criu/tty.c:1435): tty: No task found with sid 22997\n";
  writeFileSync(join(dir, "restore.log"), error);
  const command = "$ criu restore -v4 -o restore.log -D img\nAborted (core dumped)\n";
  const relative = run("-", command);
  expect(relative).toMatch(/restore\.log was named, and not looked for/);
  expect(relative).not.toContain("22997");
  const whole = run("-", `criu failed: type RESTORE errno 0\nlog file: ${dir}/restore.log\n`);
  expect(whole).toContain("if CRIU ran on another machine, this is not that log");
  expect(whole).toContain("22997");
  // No name but a log's leads anywhere.
  expect(read("$ criu restore -o /etc/shadow -D img\n").named).toBeUndefined();
});

test("a log's path is found in a field and in a command", () => {
  const field =
    '{"dump_log_path": "/checkpoints/1/dump.log", "error": "criu swrk failed: exit status 1"}';
  expect(read(field).named).toBe("/checkpoints/1/dump.log");
  expect(read("# criu dump -t 7 --log-file=/w/d.log -D img\n").named).toBe("/w/d.log");
});

test("what the engine answers goes before the lines of its daemon, in whatever order", () => {
  const side = 'time="2020" level=error msg="resuming" error="container \\"c9\\" does not exist"\n';
  const answer =
    'Error response from daemon: Cannot checkpoint container x: image "busybox": not found\n';
  for (const text of [side + answer, answer + side])
    expect([text, read(text).said?.line]).toEqual([text, expect.stringContaining("busybox")]);
});

test("errors that tests of a build want are none, until a command is given", () => {
  const build =
    "2023-02-23T18:03:42.5Z   LINK     criu/unittest/unittest\n2023-02-23T18:03:42.6Z Error (criu/config.c:127): Unsupported configuration file format. Please consult man page criu(8)\n";
  expect(read(build).cause).toBeUndefined();
  const error = "Error (criu/cr-dump.c:1): Can't find the pid\n";
  expect(read(`${build}$ criu dump -t 7\n${error}`).cause?.line).toBe(1);
  expect(read(error + build).cause?.line).toBe(1);
});

test("LXC's level makes no failure of a notice", () => {
  const text = told(
    "lxc 1 ERROR lxc_criu - criu.c:do_dump:1 - criu output: Will skip in-flight TCP connections\n",
  );
  expect(text).not.toContain("tcp-established");
  expect(text).toContain("/var/log/lxd/NAME/");
});

test("a message behind CRIU's own end is read, and a version alone is no log", () => {
  expect(read("Dumping FAILED: Can't dump file 17 of that type [20660]").said?.cause).toContain(
    "CRIU does not save",
  );
  const version =
    "$ criu --version\nVersion: 1.7.2\n\n$ lxc snapshot --stateful x y\nerror: it failed\n";
  expect([read(version).kind, told(version)]).toEqual([
    "words",
    expect.stringContaining("LXC, Incus or LXD says it"),
  ]);
});

test("a helper's own words right before CRIU's error are told, and decide where they are known", () => {
  const log = (words: string) =>
    `(00.1)      1: Running iptables-restore -w for iptables-restore -w\n${words}\n(00.3)      1: Error (criu/net.c:1738): iptables-restore -w failed\n`;
  const known = read(log("Fatal: can't open lock file /run/xtables.lock: Permission denied"));
  expect(known.explanation?.remedy).toContain("XTABLES_LOCKFILE");
  const unknown = read(log("Error: frobnicated"));
  expect([helperSays(unknown), unknown.explanation?.check]).toEqual([
    "Error: frobnicated",
    "net-tools-missing",
  ]);
  expect(helperSays(read(log("nothing of note")))).toBeUndefined();
  // What stands before the log is somebody else's.
  expect(helperSays(read(`Error: x failed\n${log("").split("\n")[2]}\n`))).toBeUndefined();
});

test("no entry says that every dump needs a thing, and that it counts only for some", () => {
  const both = entries().filter(
    ({ says, remedy }) =>
      says.some(({ what }) => what?.startsWith("every ")) && remedy.includes("only for trees"),
  );
  expect(both.map(({ says }) => says[0]!.text)).toEqual([]);
});

test("of a dump against the one before no copy is blamed, of a restore it is", () => {
  const restored = read(
    "(00.1) Error (criu/pagemap.c:203): Missing 7faf0323b000 in parent pagemap\n",
  );
  expect(restored.explanation?.check).toBe("image-parent");
  for (const words of [
    "Missing 7faf0323b000 in parent pagemap",
    "Hole 0x1/8192 not found in parent",
  ]) {
    const { explanation } = read(`(00.1) Error (criu/page-xfer.c:299): page-xfer: ${words}\n`);
    expect([words, explanation?.remedy]).toEqual([words, expect.not.stringContaining("copy")]);
    expect([words, explanation?.check]).toEqual([words, ""]);
  }
});
