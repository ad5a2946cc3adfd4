/** What misled, of an independent judge's set: facts of another machine, side lines, notices, follow-on lines, facts left unused. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorLines, type LogLine } from "../../src/criu/log.ts";
import { causeLine, worthOf } from "../../src/criu/worth.ts";
import { entries, explain } from "../../src/explain/index.ts";
import { helperSays } from "../../src/explain/called.ts";
import { holesAs } from "../../src/explain/words.ts";
import { speakerOf } from "../../src/explain/speakers.ts";
import { recriuBinary } from "../built.ts";
import { read, told } from "./reading.ts";

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

test("after what an entry says that CRIU goes on, the next error is the cause, with the subsystem and without", () => {
  const harmless = entries().filter(
    ({ files, cause, warning, quiet }) =>
      files.length > 0 && !warning && !quiet && /\bgoes on\b(?! without it)/.test(cause),
  );
  expect(harmless.length).toBeGreaterThan(5);
  for (const { says, files } of harmless)
    for (const { text, errnos } of says) {
      const errno = errnos.includes("ENOENT") ? ": No such file or directory" : "";
      const message = holesAs(text.replace("<which>", "rmem: x"), "5") + errno;
      for (const each of [message, message.replace(/^[a-z][\w-]*: /, "")]) {
        const log = `(00.1) Error (${files[0]}:1): ${each}\n(00.2) Error (criu/net.c:568): Unsupported link 4 (type 1 kind erspan)\n`;
        expect([each, read(log).cause?.message]).toEqual([each, expect.stringContaining("erspan")]);
        expect([each, worthOf(lineOf(files[0]!, each))]).toEqual([each, "nothing"]);
      }
    }
});
test("what the kernel answered to a trial of CRIU's is no cause, and of another request it is", () => {
  const answer = "Error (criu/libnetlink.c:55): -45 reported by netlink: Operation not supported\n";
  const trial = "Error (criu/net.c:3482): net: Unable to create a veth pair: -45\n";
  const link = "Error (criu/net.c:568): net: Unsupported link 4 (type 1 kind erspan)\n";
  for (const [log, cause] of [
    [answer + trial + link, "erspan"],
    [answer + trial, "veth"],
    [answer + link, "netlink"],
    [link + answer + trial, "erspan"],
  ] as const) {
    expect([log, read(log).cause?.message]).toEqual([log, expect.stringContaining(cause)]);
    const found = causeLine(errorLines(log))?.message;
    expect([log, found]).toEqual([log, expect.stringContaining(cause)]);
  }
});
test("netlink that is denied at the start is no cause beside an error of something else, and is one beside none and the network's", () => {
  const denied = "Error (criu/libnetlink.c:84): Can't send request message: Permission denied\n";
  const other = "1: Error (criu/sockets.c:461): Can't set 1:72 (len 4): Operation not permitted\n";
  const link = "1: Error (criu/net.c:568): net: Unsupported link 4 (type 1 kind erspan)\n";
  for (const [log, cause] of [
    [denied + denied + other, "1:72"],
    [denied, "request message"],
    [denied + link, "request message"],
  ] as const) {
    expect([log, read(log).cause?.message]).toEqual([log, expect.stringContaining(cause)]);
    const found = causeLine(errorLines(log))?.message;
    expect([log, found]).toEqual([log, expect.stringContaining(cause)]);
  }
});
test("of a task that ended while it was seized the next error of something else is the cause, and where none is, that one", () => {
  const gone = (pid: number) =>
    `(00.1) Error (criu/util.c:409): Can't open ${pid}: No such file or directory\n` +
    `(00.1) Error (criu/proc_parse.c:1024): Can't open ${pid}/status on procfs: No such file or directory\n` +
    `(00.1) Error (compel/src/lib/infect.c:320): Unable to detach from ${pid}: No such process\n`;
  const link = "(00.2) Error (criu/net.c:568): net: Unsupported link 4 (type 1 kind erspan)\n";
  expect(read(gone(7) + gone(8) + link).cause?.message).toContain("erspan");
  expect(read(gone(7) + gone(8)).cause?.message).toContain("Can't open 7");
  // Of a task that CRIU was not taking leave of it is the end.
  const other = gone(7).split("\n")[0]!;
  expect(read(`${other}\n${gone(8)}${link}`).cause?.message).toContain("Can't open 7");
});
test("tidying up that failed behind tasks that are restored is the cause, and what the second time says of it none", () => {
  const tidying =
    "(00.3) Error (criu/mount.c:3609): mnt: Can't remove the directory /tmp/.criu.mntns.Dx: Device or resource busy\n";
  const again =
    "(00.4) Error (criu/mount.c:3594): mnt: Can't remount root with MS_PRIVATE: Invalid argument\n";
  const other = "(00.4) Error (criu/mount.c:3594): mnt: Can't remount / with MS_SLAVE: Busy\n";
  for (const [log, cause] of [
    [tidying + again, "Can't remove"],
    [tidying + other, "MS_SLAVE"],
    [again + tidying, "MS_PRIVATE"],
  ] as const) {
    expect([log, read(log).cause?.message]).toEqual([log, expect.stringContaining(cause)]);
    const found = causeLine(errorLines(log))?.message;
    expect([log, found]).toEqual([log, expect.stringContaining(cause)]);
  }
});
test("of tests the one that failed is told, before or behind one that passed", () => {
  const [passed, failed] = [
    "= Test zdtm/static/a PASS =\n",
    "# Test zdtm/static/b FAIL at result check #\n",
  ];
  expect(read(passed).said?.cause).toContain("passed");
  for (const log of [passed + failed, failed + passed])
    expect([log, read(log).said?.line]).toEqual([log, expect.stringContaining("FAIL")]);
});
test("the end of a task that could not open a file is no cause, and another task's is", () => {
  const sign = "(00.1)     37: Error (criu/files.c:1196): Unable to open fd=4 id=0x7\n";
  for (const [pid, cause] of [
    [37, undefined],
    [38, "38 exited, status=1"],
  ] as const) {
    const log = `${sign}(00.2) Error (criu/cr-restore.c:1415): ${pid} exited, status=1\n`;
    expect([pid, read(log).cause?.message]).toEqual([pid, cause]);
    expect([pid, causeLine(errorLines(log))?.message]).toEqual([pid, cause]);
  }
});
test("what CRIU only notes by its source is no cause, and another line with these words is", () => {
  for (const [message, worth] of [
    ["Restore original /proc/self/loginuid failed", "nothing"],
    ["Restoring CHLD sigaction failed: Invalid argument", "nothing"],
    ["Can't cure local: something happened with mapping?", "nothing"],
    ["Failed to clenaup tmp/link_remap.7 link remap", "nothing"],
    ["cg: Unable to remove .criu.cgyard.a1B2c3: Device or resource busy", "nothing"],
    ["cg: Unable to remove /a: Device or resource busy", "cause"],
    ["net: Failed to close tmpfile: Input/output error", "nothing"],
    ["nf: failed to open /dev/null, using log fd for net module preload: No such file", "nothing"],
    ["inet: Failed to translate address: Address family not supported", "nothing"],
    ["tty: Restored 3 bytes while 9 expected", "nothing"],
    ["tty: Can't writeback to tty (0x7): Input/output error", "nothing"],
    [
      "page-xfer: No parent image found, though parent directory is set: Permission denied",
      "cause",
    ],
  ] as const)
    expect([message, worthOf(lineOf("criu/x.c", message))]).toEqual([message, worth]);
});

const lineOf = (file: string, message: string): LogLine => ({
  level: "Error",
  time: 1,
  pid: undefined,
  file,
  line: 1,
  subsystem: undefined,
  message,
});

test("an error that ends some CRIUs is the cause where nothing follows it, and none before another or a good end", () => {
  const nsid = "Error (criu/kerndat.c:645): NSID is not supported\n";
  const diag = "Error (criu/sockets.c:136): Diag module missing (-2)\n";
  expect(read(diag + nsid).cause?.message).toBe("NSID is not supported");
  expect(read(`${nsid}Error (criu/tty.c:1): tty: No task found with sid 7\n`).cause?.file).toBe(
    "criu/tty.c",
  );
  expect(read(`${nsid}Looks good.\n`).cause).toBeUndefined();
  expect(read(`${nsid}Error (criu/util.c:7): exited, status=1\n`).cause).toBeUndefined();
  expect(read(`${nsid}Error (criu/cr-dump.c:7): Dumping FAILED.\n`).cause?.message).toContain(
    "NSID",
  );
  expect(causeLine(errorLines(diag + nsid))?.message).toContain("NSID");
  expect(causeLine(errorLines(`${nsid}Error (criu/util.c:7): exited, status=1`))).toBeUndefined();
});

test("what stands around a message decides, wherever in a long log, and only where it is there", () => {
  const error =
    "(01.1) Error (criu/pagemap-cache.c:209): pagemap-cache: Can't read 7's pagemap file: No such file or directory\n";
  const filling = (kib: number) =>
    `(01.0) pagemap-cache: 7: filling VMA 738000c4000-83d00000000 (${kib}K) [l:1 h:2]\n`;
  const others = "(00.5) nothing of note\n".repeat(5000);
  const causeOf = (text: string) => read(text).explanation?.cause;
  expect(causeOf(others + filling(1094712560) + error)).toContain(
    "task 7 has a mapping of about 1 TiB",
  );
  expect(causeOf(others + filling(4096) + error)).toContain("ended while it was looked at");
  expect(explain("Can't read 7's pagemap file: No such file or directory")?.cause).toContain(
    "ended while",
  );
});

test("a helper that names itself is heard behind CRIU's error, too; others are not", () => {
  const error = "Error (criu/netfilter.c:90): Iptables configuration failed\n";
  const words = "Bad rule (does a matching rule exist in that chain?).";
  expect(helperSays(read(`${error}iptables: ${words}\n`))).toContain("Bad rule");
  expect(helperSays(read(`${error}somebody: failed\n`))).toBeUndefined();
});

test("a crash of CRIU itself goes before what its caller makes of that", () => {
  const caller = "CRIU feature checking failed -52.  Please check CRIU logfile /x/dump.log\n";
  for (const crash of [
    "*** buffer overflow detected ***: terminated",
    "*** stack smashing detected ***: terminated",
    "free(): invalid pointer",
    "malloc(): corrupted top size",
    "double free or corruption (out)",
  ]) {
    expect([crash, read(`${crash}\n${caller}`).said?.cause]).toEqual([
      crash,
      expect.stringContaining("CRIU itself crashed"),
    ]);
    // Of a program that has nothing to do with it.
    expect([crash, read(`${crash}\n`).kind]).toEqual([crash, "none"]);
  }
  expect(read(caller).said?.cause).toContain("older");
});

test("the names in a prompt are no speaker's", () => {
  for (const prompt of ["docker@minikube:~$", "[root@podman ~]#", "runc@lxc:/var/lib#"])
    expect([prompt, speakerOf(`${prompt} curl https://localhost/checkpoint/redis`)]).toEqual([
      prompt,
      undefined,
    ]);
  expect(speakerOf("user@host:~$ docker checkpoint create a b")?.name).toBe("Docker");
});

test("of several messages that one line quotes each is told", () => {
  const text = told(
    "Restore fails with `Can't connect inet socket back: Cannot assign requested address` or `Can't restore 0x7f1164021000 mapping with 0xfffffffffffffff4`\n",
  );
  expect(text).toContain("TIME_WAIT");
  expect(text).toContain("ENOMEM");
  expect(text.split("\n").find((row) => row.includes("remedy"))).not.toContain("0x7f11");
});

test("a message with a tail of something else is cut from the end until it is known, and no few words are", () => {
  for (const tail of ["pie: 1: Task 17 exited, status= 1", "my own words, and more of them"])
    expect(
      read(`Can't bind inet socket (id 115): Cannot assign requested address ${tail}\n`).said
        ?.check,
    ).toBe("tcp-address-missing");
  for (const others of ["Can't open file and my own words", "Unable to create directory %r"])
    expect([others, read(`${others}\n`).kind]).toEqual([others, "none"]);
});
