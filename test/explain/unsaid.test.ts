/** What no error says: a line that decides though CRIU calls it none, a command that was tried, a place that names what is meant. */
import { expect, test } from "bun:test";
import { explain } from "../../src/explain/index.ts";
import { logReader, type LogReport } from "../../src/explain/log.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { captured } from "../../src/report/terminal.ts";

function read(text: string): LogReport {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  return reader.end();
}
const told = (text: string): string =>
  captured(() => printLogReport(read(text), "-", { about: [], kept: undefined, memory: [] }));

const waiting = (pid: number, answered: number) =>
  `(00.1) Waiting for ${pid} to trap\n(00.2) Daemon ${pid} exited trapping\n(00.3) ${answered} was trapped\n`;
const failed = "(00.9) Error (criu/cr-dump.c:1): Dumping FAILED.\n";

test("a task that answers for another is told, and one that answers for itself is not", () => {
  expect(read(waiting(5397, 6769)).hint?.cause).toContain("6769");
  expect(told(waiting(5397, 6769) + failed)).toContain("not of the tree");
  expect(read(waiting(5397, 5397)).hint).toBeUndefined();
  expect(read("(00.3) 6769 was trapped\n").hint).toBeUndefined();
  const error = "(00.4) Error (criu/tty.c:1): tty: No task found with sid 7\n";
  expect(told(waiting(5397, 6769) + error + failed)).not.toContain("6769");
});

test("a kernel that lists no sockets ends a dump without an error; raw ones, and another refusal behind, do not hide it", () => {
  const lacks = (family: string, proto: string) =>
    `(00.1) sockets: Sockets collect procedure family ${family} proto ${proto}: -2\n`;
  const later = "(00.2) /run/a: No such file or directory\n";
  expect(told(lacks("AF_UNIX", "IPPROTO_IP") + later + failed)).toContain("CONFIG_UNIX_DIAG");
  expect(told(lacks("AF_INET", "IPPROTO_RAW") + failed)).not.toContain("CONFIG_UNIX_DIAG");
});

test("an option that every command shown has already stands last, and first where one lacks it", () => {
  const error = "(00.1) Error (criu/tty.c:1): tty: No task found with sid 7\n";
  const remedy = (...commands: string[]) =>
    read(commands.map((text) => `# ${text}\n`).join("") + error).explanation?.remedy;
  expect(remedy()).toStartWith("--shell-job");
  expect(remedy("criu dump -t 7 -D /a")).toStartWith("--shell-job");
  expect(remedy("criu dump -t 7 -D /a -j")).toMatch(/^(?!--shell-job).*; --shell-job/);
});

test("a log that is named stands in the remedy, and none by its name alone", () => {
  const ended = "(00.1) Error (criu/cr-restore.c:1): 5 exited, status=1\n";
  const remedy = (path: string) => read(`log file: ${path}\n${ended}`).explanation?.remedy;
  expect(remedy("/run/a/restore.log")).toContain(" /run/a/restore.log | head");
  expect(remedy("restore.log")).toContain(" LOG | head");
});

test("a run that is pasted twice is told once, and another beside it is told as another", () => {
  const run = (cause: string) =>
    `(00.000001) Version: 3.17 (gitid 0)\n(00.1) Error (criu/tty.c:1): tty: ${cause}\n${failed}`;
  const one = run("No task found with sid 7");
  expect(read(one + one).others.length).toBe(0);
  expect(read(run("No task found with sid 8") + one).others.length).toBe(1);
  expect(told(run("No task found with sid 8") + one)).toContain("another run is in it");
});

test("an errno is not explained where the cause says it, nor of what comes of something else", () => {
  const because = (message: string, file: string) => explain(message, { file })?.because;
  const absent = ": No such file or directory";
  expect(because(`execvp("iptables-restore", ...) failed${absent}`, "criu/util.c")).toBeUndefined();
  expect(because(`cg: cgroupd: recv req error${absent}`, "criu/cgroup.c")).toBeUndefined();
  expect(because("Can't open a: Too many open files", "criu/util.c")).toContain("limit");
  // It says something only where the cause is no more than that something failed, and of an address nothing.
  const pagemap = "pagemap-cache: Can't read 7's pagemap file";
  expect(because(`${pagemap}${absent}`, "criu/pagemap-cache.c")).toBeUndefined();
  expect(because(`Failed to open dir /a${absent}`, "criu/util.c")).toContain("is not there");
  expect(because("Can't write img file: Bad address", "criu/image.c")).toBeUndefined();
  const stale = explain("fsnotify: Can't open file handle for 0x1:0x2: Stale file handle", {
    file: "criu/fsnotify.c",
  });
  expect(`${stale?.because} ${stale?.remedy}`).not.toMatch(/network file system/);
});

test("devices that share a number are looked for by the other one, and a bind names its address", () => {
  const cause = (numbers: string) =>
    explain(`Can't dump file 3 of that type [20600] (chr ${numbers})`, {
      file: "criu/files-ext.c",
    })?.cause;
  expect(cause("10:59")).toContain("number 59 in /proc/misc");
  expect(cause("506:0")).toContain("number 506 in /proc/devices");
  const bind = read(
    "(00.1)    198: \tRestore: family 10 type 1 proto 6 port 7676 state 1 src_addr 2001:db8::1\n" +
      "(00.2)    198: Error (sk-inet.c:610): Can't bind inet socket: Cannot assign requested address\n",
  );
  expect(bind.objects).toEqual(["port 7676 of address 2001:db8::1"]);
});

test("a crash of a debugger's is CRIU's only where the program was CRIU", () => {
  const crash = (program: string) =>
    read(
      `Core was generated by \`${program}'.\nProgram terminated with signal SIGSEGV, Segmentation fault.\n`,
    );
  expect(crash("../criu/criu swrk 4").said?.cause).toContain("CRIU itself crashed");
  expect(crash("/usr/bin/top").said).toBeUndefined();
});

test("what is no log, and is of a hang or a crash, has a next step", () => {
  expect(told("[<0>] ptrace_stop+0x2c8/0x430\n[<0>] ptrace_notify+0x84/0x110\n")).toContain("-v4");
  expect(told("Unhandled exception\nType=Illegal instruction vmState=0x00000000\n")).toContain(
    "lscpu",
  );
});
