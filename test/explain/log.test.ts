/** recriu explain on logs: the compiled binary, real shapes of logs, and hostile ones. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logReader } from "../../src/explain/log.ts";
import { hasFailed } from "../../src/explain/run.ts";
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

const readLog = (log: string) => {
  const reader = logReader();
  reader.feed(Buffer.from(log));
  return reader.end();
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
  const report = readLog(LOG);
  expect(report).toMatchObject({ version: "4.1.1", way: "restore", succeeded: false });
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
  expect(json).toMatchObject({ schema: 1, log, explanation: { check: "unix-socket-dir" } });
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
  expect(readLog(read.repeat(9)).explanation).toMatchObject({ check: "pages-short" });
});

test("pages of checks and of exit codes, offline", () => {
  expect(run(["unix-socket-dir"]).stdout).toContain("Can't bind id");
  expect(run(["3"]).stdout).toContain("blocked");
  expect(run(["137"]).stdout).toContain("signal 9");
  const listed = run(["--list"]).stdout;
  expect(listed.split("\n").length).toBeGreaterThan(2000);
  expect(listed).toContain("unix: Can't bind id <id> ino # addr <path>");
  expect(JSON.parse(run(["--list", "--json"]).stdout)).toMatchObject({ schema: 1 });
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
    // Explained, not known, or no log at all.
    expect([0, 1, 2]).toContain(told.exit);
    // eslint-disable-next-line no-control-regex
    expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(told.stderr + told.stdout)).toBe(false);
  }
});

const ERROR =
  "(00.002408)  12: Error (criu/sk-unix.c:1651): unix: Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory";
const BIND = "unix: Can't bind id 0x7 ino 425653 addr /tmp/.X11-unix/X7: No such file or directory";
const inJson = JSON.stringify(`${ERROR}\n`);

test("a log in whatever form it travels", () => {
  const forms: Record<string, string> = {
    indented: `    ${ERROR}`,
    quoted: `> > ${ERROR}`,
    numbered: `restore.log:7:${ERROR}`,
    coloured: `\u001b[31m${ERROR}\u001b[0m`,
    "coloured, as text": `^[[31m${ERROR}^[[0m`,
    "with CRLF": `${LOG.replaceAll("\n", "\r\n")}`,
    "of the journal": `Nov 29 01:00:00 host criu[7]: ${ERROR}`,
    "of rsyslog": `Nov 29 01:00:00 host criu: (00.1) one#012${ERROR}#012(00.3) three`,
    "of LXC": `lxc-restore 20260101000000.000 ERROR criu - criu.c:do_restore:1100 - ${ERROR}`,
    "of docker": `{"log":${inJson},"stream":"stderr","time":"2026-01-01T00:00:00Z"}`,
    "of logrus": `time="2026-01-01" level=warning msg=${JSON.stringify(`298:${ERROR}`)}`,
    "of logrus, short": `WARN[0000] 298:${ERROR}`,
    "of crun": `2026-01-01T00:00:00.000000Z: ${ERROR}`,
    "of the kubelet": `E0101 err="failed: time=\\"2026\\" level=warning msg=\\"${ERROR.replaceAll('"', '\\\\"')}\\n\\""`,
    bold: `**${ERROR}**`,
    "in back quotes": `\`${ERROR}\``,
    "in HTML": `&gt; ${ERROR.replaceAll("'", "&#39;")}<br>`,
    "of Python": `b"${ERROR}\\n"`,
    "of Python, with its own quotes": `b'${ERROR}'`,
    "of Ansible": `fatal: [h]: FAILED! => {"rc": 1, "stderr": ${JSON.stringify(ERROR)}, "stdout": ""}`,
    "of a workflow's log": `2026-01-01T00:00:00.0000000Z b'${ERROR}'`,
    "without its first bracket": ERROR.slice(1),
    "with a printer's quote": ERROR.replace("Can't", "Can\u2019t"),
    "all in one line": LOG.trimEnd().replaceAll("\n", " "),
    "of an old version":
      "Error (sk-unix.c:1651): sk unix: Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory",
    "the message alone":
      "unix: Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory",
    "the message behind others":
      "it says: Can't bind id 0x4d ino 19 addr /tmp/.X11-unix/X7: No such file or directory",
  };
  for (const [form, text] of Object.entries(forms)) {
    const report = readLog(text);
    const known = report.explanation ?? report.said;
    expect([form, known?.check, known?.cause]).toEqual([
      form,
      "unix-socket-dir",
      "the directory of the socket /tmp/.X11-unix/X7 does not exist",
    ]);
  }
});

test("several logs in one paste: each is told", () => {
  const dump =
    "Error (criu/file-lock.c:110): Some file locks are hold by dumping tasks! You can try --file-locks to dump them.\nError (criu/cr-dump.c:2111): Dumping FAILED.\n";
  const report = readLog(dump + LOG);
  expect(report).toMatchObject({
    way: "dump",
    explanation: { remedy: expect.stringContaining("--file-locks") },
  });
  expect(report.others).toMatchObject([
    { way: "restore", explanation: { check: "unix-socket-dir" } },
  ]);
});

const SUCCESS =
  "(00.1) Version: 4.1.1 (gitid 0)\n(00.2) Restore finished successfully. Tasks resumed.\n";

test("the last run of a log decides, and the refusal behind it", () => {
  const refusal = "blocker[unix-socket-dir]: the socket /tmp/a cannot be bound\n";
  expect(readLog(LOG + SUCCESS)).toMatchObject({ succeeded: true, cause: undefined });
  expect(readLog(LOG + SUCCESS).others).toMatchObject([{ way: "restore", ended: "badly" }]);
  expect(readLog(SUCCESS + LOG)).toMatchObject({
    succeeded: false,
    explanation: { check: "unix-socket-dir" },
  });
  for (const text of [SUCCESS + refusal, LOG + SUCCESS + refusal])
    expect(readLog(text)).toMatchObject({ succeeded: false, refused: ["unix-socket-dir"] });
  expect(readLog(refusal + SUCCESS)).toMatchObject({ succeeded: true, refused: [] });
  const told = run(["-"], { stdin: SUCCESS + refusal }).stderr;
  expect(told).toContain("recriu refused this restore: unix-socket-dir");
  expect(told).not.toContain("succeeded");
  // A restore of what a dump left that failed: the dump is why.
  const dump =
    "(00.1) Error (criu/x.c:1): Can't\n(00.2) Error (criu/cr-dump.c:1): Dumping FAILED.\n";
  expect(readLog(dump + LOG)).toMatchObject({ way: "dump" });
  // A check says nothing behind its verdict, and a command in a line of its own is another try.
  const denied = "(00.1) Error (criu/ptrace.c:1): Unseizable non-zombie 7 found, state S\n";
  const lock =
    "(00.2) Error (criu/file-lock.c:1): Some file locks are hold by dumping tasks!You can try --file-locks to dump them.\n";
  for (const text of [
    `Looks good.\n${lock}`,
    `criu dump -t 7\n${denied}sudo criu dump -t 7\n${lock}`,
  ])
    expect(readLog(text)).toMatchObject({
      succeeded: false,
      cause: { file: "criu/file-lock.c" },
      explanation: { issues: ["#1026"] },
    });
  // What a dump goes on after is not why it failed, be its end there or not; a restore's tasks go on each by itself.
  const goesOn = [1, 2, 3].map((at) => `(00.3) fdinfo: Dumping ${at} file\n`).join("");
  const dumped = "(00.9) Dumping finished successfully\n";
  expect(readLog(lock + goesOn)).toMatchObject({ cause: undefined, sign: { time: 0.2 } });
  expect(readLog(lock + goesOn + dumped)).toMatchObject({ succeeded: true });
  const fatal =
    "(00.5) Error (criu/sk-unix.c:1): unix: Can't dump half of stream unix connection.\n";
  for (const text of [lock + goesOn + fatal, `${lock}${goesOn}${fatal}(00.6) Unlock network\n`])
    expect(readLog(text)).toMatchObject({ cause: { file: "criu/sk-unix.c" } });
  for (const end of [
    "(00.4) Unlock network\n",
    "(00.4) Error (criu/cr-dump.c:1): Dumping FAILED.\n",
  ])
    expect(readLog(lock + goesOn + end)).toMatchObject({ cause: { file: "criu/file-lock.c" } });
  // The same run goes on behind its FAILED.
  const behind =
    "(00.9) Error (criu/mount.c:1): mnt: Can't umount at /x: Device or resource busy\n";
  expect(readLog(LOG + behind)).toMatchObject({
    others: [],
    explanation: { check: "unix-socket-dir" },
  });
});

test("hooks, consoles and broken pipes come of something else, where that is there", () => {
  const consequences = [
    "error running poststop hook #0: exit status 1",
    "cannot allocate tty if runc will detach without setting console socket",
  ];
  for (const line of consequences) {
    const refused = readLog(`blocker[unix-socket-dir]: x\n${line}\n`);
    expect([line, refused.said, refused.refused]).toEqual([line, undefined, ["unix-socket-dir"]]);
    for (const text of [`${line}\nOCI runtime error: ${BIND}`, `${BIND}\n${line}`])
      expect([text, readLog(text).said?.check]).toEqual([text, "unix-socket-dir"]);
    expect([line, readLog(line).said?.by]).toEqual([line, "runtime"]);
  }
});

test("an error that is only a sign of one is told as that, and one after which CRIU goes on", () => {
  const sign = "Error (criu/files.c:1): Unable to open fd=9 id=0x4d\n";
  const killed = "Error (criu/cr-restore.c:1): 7 killed by signal 9: Killed\n";
  for (const text of [sign, sign + killed]) {
    const told = run(["-"], { stdin: text });
    expect([text, told.exit, told.stderr]).toEqual([text, 0, expect.stringContaining("-v4")]);
    expect(told.stderr).not.toMatch(/memory|no error/);
  }
  const tolerated =
    "Error (criu/util.c:1): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted\n";
  expect(run(["-"], { stdin: tolerated }).stderr).toContain(
    "CRIU goes on after that; whether anything failed is not in it",
  );
  expect(hasFailed(readLog(tolerated))).toBe(false);
  expect(hasFailed(readLog(sign))).toBe(true);
  expect(readLog(tolerated + ERROR).explanation?.check).toBe("unix-socket-dir");
  // Some reasons CRIU does not call errors.
  const info = "(00.1) Can't connect to server 127.0.0.1:1\n(00.2) net: Unlock network\n";
  const left =
    "(00.3) Error (compel/src/lib/infect.c:418): Unable to detach from 7: No such process\n";
  expect(readLog(info + left).explanation?.line).toBe("Can't connect to server 127.0.0.1:1");
});

test("a line that was broken is read whole", () => {
  const cut =
    "(00.1)pie: 1: Error (criu/pie/restorer.c:273): Unable to restore capabil>\n(00.1)pie: 1: ities: -1\n";
  expect(readLog(cut).cause?.message).toBe("Unable to restore capabilities: -1");
  for (const at of [BIND.indexOf("425653"), BIND.indexOf("ch file")]) {
    const whole = `Error (criu/sk-unix.c:1): ${BIND}`;
    const start = whole.length - BIND.length + at;
    const broken = `${whole.slice(0, start).trimEnd()}\n${whole.slice(start)}\n(00.2) more\n`;
    expect([broken, readLog(broken).explanation?.check]).toEqual([broken, "unix-socket-dir"]);
  }
  // What is whole is left alone.
  const next = `Error (criu/sk-unix.c:1): ${BIND}\nsome other program's line: No such process\n`;
  expect(readLog(next).cause?.message).toBe(BIND);
});

test("a task that was killed is the cause only where nothing stands before", () => {
  const killed = (signal: number, name: string) =>
    readLog(
      `Error (criu/cr-restore.c:1498): 12 killed by signal ${signal}: ${name}\nError (criu/cr-restore.c:2536): Restoring FAILED.\n`,
    );
  expect(killed(11, "Segmentation fault").explanation?.cause).toContain("rseq");
  expect(killed(9, "Killed").explanation?.cause).toContain("want of memory");
  expect(killed(31, "Bad system call").explanation?.cause).toContain("seccomp");
  expect(killed(4, "Illegal instruction").explanation?.check).toBe("cpu-features");
  expect(readLog(LOG).cause?.file).toBe("criu/sk-unix.c");
});

test("where nothing is known of the first cause, a later line is not told in its place", () => {
  const report = readLog(`Error (criu/x.c:1): A new kind of trouble\n${ERROR}\n`);
  expect(report.explanation).toBeUndefined();
  expect(report.later).toMatchObject({ check: "unix-socket-dir" });
  const told = run(["-"], { stdin: `Error (criu/x.c:1): A new kind of trouble\n${ERROR}\n` });
  expect(told.exit).toBe(1);
  expect(told.stderr).toContain("may be a consequence");
});

test("a runtime's line alone: what it means, and where its log went", () => {
  const gone = join("/run/containerd/io.containerd.runtime.v2.task/moby/7f", "work", "restore.log");
  const lines = {
    [`criu failed: type NOTIFY errno 0\nlog file: ${gone}`]: "containerd made for Docker",
    [`OCI runtime restore failed: criu failed: type NOTIFY errno 0\nlog file: ${gone}: unknown`]:
      "containerd made for Docker",
    "2026-01-01T00:00:00.000Z: CRIU restoring failed -52. Please check CRIU logfile /var/lib/containers/storage/overlay-containers/7f/userdata/restore.log":
      "--keep",
    "ctr: runc did not terminate successfully: exit status 1: criu failed: type NOTIFY errno 0 path= /run/containerd/io.containerd.runtime.v2.task/default/redis/criu-dump.log: unknown":
      "containerd deletes it",
  };
  for (const [text, kept] of Object.entries(lines)) {
    const told = run(["-"], { stdin: text });
    expect([text, told.exit]).toEqual([text, 0]);
    expect(told.stderr).toContain(kept);
    expect(told.stderr).toContain("is not here to be read");
  }
});

test("a log of a success, and what it warns of", () => {
  const well = "(00.1) Version: 4.2 (gitid 0)\n(00.2) Dumping finished successfully\n";
  expect(readLog(well)).toMatchObject({ succeeded: true, way: "dump" });
  const warned = `(00.1) Warn  (criu/cr-restore.c:1): Root task has pdeath_sig configured, so it will receive one _right_after restore on CRIU exit\n${well}`;
  const told = run(["-"], { stdin: warned });
  expect([told.exit, told.stderr]).toEqual([
    0,
    expect.stringContaining("warning: Root task has pdeath_sig"),
  ]);
});

test("recriu's own refusal is read as that", () => {
  const told = run(["-"], {
    stdin: "blocker[unix-socket-dir]: the socket /tmp/a cannot be bound\n",
  });
  expect([told.exit, told.stderr]).toEqual([
    0,
    expect.stringContaining("recriu refused this restore: unix-socket-dir"),
  ]);
});

test("a hostile log takes the time of its length", () => {
  const tails = [
    " ".repeat(16_000),
    "\\".repeat(16_000),
    ".".repeat(16_000),
    '"'.repeat(16_000),
    ": ".repeat(8_000),
  ];
  for (const tail of tails) {
    const line = `${tail}x Error (criu/x.c:1): a ${tail} b\n`;
    const began = performance.now();
    const reader = logReader();
    for (let i = 0; i < 40; i += 1) reader.feed(Buffer.from(line + tail + "\n"));
    reader.end();
    expect([tail.slice(0, 3), performance.now() - began < 3000]).toEqual([tail.slice(0, 3), true]);
  }
});

test("what is no log is said to be none, quickly", () => {
  for (const file of ["/etc/passwd", "/bin/sh"]) {
    const told = run([file]);
    expect([file, told.exit, told.stderr]).toEqual([
      file,
      2,
      expect.stringMatching(/is no log of CRIU's.*dump\.log, restore\.log.*journalctl/),
    ]);
  }
  expect(run(["-"], { stdin: "" }).exit).toBe(2);
});

test("a directory: which logs are there, the newest that failed first", () => {
  const logs = join(dir, "logs");
  mkdirSync(logs);
  writeFileSync(join(logs, "restore.log"), LOG);
  writeFileSync(join(logs, "dump.log"), "(00.2) Dumping finished successfully\n");
  const told = run([logs]);
  expect(told.exit).toBe(0);
  for (const words of [
    "dump.log: dump succeeded",
    "restore.log: restore failed",
    "unix-socket-dir",
  ])
    expect(told.stderr).toContain(words);
  // The newest that failed, also where no line says why; what is no log is none of them.
  writeFileSync(join(logs, "again.log"), "(00.1) Error (criu/cr-restore.c:1): Restoring FAILED.\n");
  writeFileSync(join(logs, "last.log"), "something else\n");
  for (const [name, seconds] of [
    ["again.log", 10],
    ["last.log", 20],
  ] as const)
    utimesSync(join(logs, name), new Date(), Date.now() / 1000 + seconds);
  const again = run([logs, "--json"]);
  expect([again.exit, JSON.parse(again.stdout).log]).toEqual([1, join(logs, "again.log")]);
  const listed = run([logs]).stderr;
  expect(listed).toContain("again.log: restore failed");
  expect(listed).toContain("last.log: no log of CRIU's");
});

test("exit codes: 0 explained or succeeded, 1 not known, 2 no log", () => {
  const log = (text: string) => run(["-"], { stdin: text }).exit;
  expect([log(LOG), log(SUCCESS), log("(00.1) Error (criu/x.c:1): What\n"), log("x\n")]).toEqual([
    0, 0, 1, 2,
  ]);
  // A consequence, and an error behind which CRIU goes on, are explained as that; the end alone is not.
  expect(
    log("(00.1) Error (criu/tty.c:843): tty: Can't set tty params on 0x17, trying to skip...\n"),
  ).toBe(0);
  expect(
    log("(00.1) Error (compel/src/lib/infect.c:358): Unable to detach from 7: No such process\n"),
  ).toBe(0);
  expect(log("(00.2) Error (criu/cr-dump.c:2063): Dumping FAILED.\n")).toBe(1);
  expect(run([ERROR]).exit).toBe(0);
  expect(run(["A new kind of trouble"]).exit).toBe(1);
  for (const path of ["/nonexistent/restore.log", "./nothing", "restore-7.log"]) {
    const told = run([path]);
    expect([path, told.exit, told.stderr]).toEqual([
      path,
      2,
      expect.stringContaining("no such file"),
    ]);
  }
});

test("a log without an end is read in the memory that a short one takes", () => {
  const reader = logReader();
  const chunk = Buffer.from("(00.1) 12: pagemap: one of very many\n".repeat(7000));
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 400; i += 1) reader.feed(chunk);
  reader.feed(Buffer.from(`${ERROR}\n`));
  const report = reader.end();
  expect(report.explanation?.check).toBe("unix-socket-dir");
  expect(report.lines).toBe(7000 * 400 + 1);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test("of a start that failed the cause is what stands right before its end", () => {
  const lines = [
    "(00.001) Error (criu/libnetlink.c:54): -95 reported by netlink: Operation not supported",
    "(00.002) Error (criu/kerndat.c:700): Can't create TCP socket: Permission denied",
    "(00.003) Error (criu/util.c:1510): Can't wait or bad status: errno=0, status=256",
    "(00.004) Error (criu/kerndat.c:1980): kerndat_tcp_repair failed when initializing kerndat.",
  ];
  const cause = (text: string[]) => readLog(text.join("\n")).cause?.message;
  expect(cause(lines)).toBe("Can't create TCP socket: Permission denied");
  expect(cause(lines.toSpliced(1, 1))).toBe("-95 reported by netlink: Operation not supported");
});

test("the exit code is 0 where a cause is told, of a line without an error or of a warning, too", () => {
  const raw =
    "(00.004446) sockets: Sockets collect procedure family AF_INET proto IPPROTO_RAW: -2\n";
  const unix =
    "(00.003493) sockets: Sockets collect procedure family AF_UNIX proto IPPROTO_IP: -2\n";
  const failed = "(00.008801) Error (criu/cr-dump.c:2128): Dumping FAILED.\n";
  const ended = run(["-"], { stdin: unix + raw + failed });
  expect([ended.exit, ended.stderr]).toEqual([
    0,
    expect.stringContaining("it failed, by what CRIU does not call an error"),
  ]);
  const other = run(["-"], { stdin: `(00.003493) Nothing of it\n${failed}` });
  expect([other.exit, other.stderr]).toEqual([1, expect.not.stringContaining("remedy")]);
  const warning =
    "(00.011100) Warn  (criu/cr-restore.c:1): Root task has pdeath_sig configured, so it will receive one _right_after restore on CRIU exit\n";
  expect(run(["-"], { stdin: warning }).exit).toBe(0);
  // That says nothing of what failed.
  expect(run(["-"], { stdin: warning + failed }).exit).toBe(1);
});
