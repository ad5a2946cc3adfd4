import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { causeLine, errorLines, firstCause, linesOf, parseLogLine } from "../../src/criu/index.ts";

const log = `(00.000000) Version: 4.1.1 (gitid 0)
(00.001200) Warn  (criu/kerndat.c:1700): Can't keep kdat cache on non-tempfs
(00.021764)   4711: Error (criu/files.c:1221): Unable to open fd=5 id=0x4d
(00.021700)   4711: Error (criu/sk-unix.c:1983): unix: Can't bind id 0x4d ino 1935298 addr /tmp/a: b: No such file or directory
(00.022000) Error (criu/cr-restore.c:1258): 4711 exited, status=1
(00.022700) Error (criu/cr-restore.c:2324): Restoring FAILED.
`;

test("a line's parts", () => {
  expect(log.split("\n").map(parseLogLine)).toEqual([
    undefined,
    {
      level: "Warn",
      time: 0.0012,
      pid: undefined,
      file: "criu/kerndat.c",
      line: 1700,
      subsystem: undefined,
      message: "Can't keep kdat cache on non-tempfs",
    },
    {
      level: "Error",
      time: 0.021764,
      pid: 4711,
      file: "criu/files.c",
      line: 1221,
      subsystem: undefined,
      message: "Unable to open fd=5 id=0x4d",
    },
    {
      level: "Error",
      time: 0.0217,
      pid: 4711,
      file: "criu/sk-unix.c",
      line: 1983,
      subsystem: "unix",
      message: "unix: Can't bind id 0x4d ino 1935298 addr /tmp/a: b: No such file or directory",
    },
    {
      level: "Error",
      time: 0.022,
      pid: undefined,
      file: "criu/cr-restore.c",
      line: 1258,
      subsystem: undefined,
      message: "4711 exited, status=1",
    },
    {
      level: "Error",
      time: 0.0227,
      pid: undefined,
      file: "criu/cr-restore.c",
      line: 2324,
      subsystem: undefined,
      message: "Restoring FAILED.",
    },
    undefined,
  ]);
});

test("without time or pid, and from inside a task", () => {
  expect(parseLogLine("Error (criu/mount.c:9): mnt: No\n")).toMatchObject({
    time: undefined,
    pid: undefined,
    subsystem: "mnt",
    message: "mnt: No",
  });
  expect(parseLogLine("    12: Error (criu/net.c:9): x")).toMatchObject({
    time: undefined,
    pid: 12,
  });
  expect(
    parseLogLine(
      "(00.07) pie: 12: Error (criu/pie/restorer.c:1883): Can't restore 0 mapping with ea",
    ),
  ).toMatchObject({ pid: 12, file: "criu/pie/restorer.c", line: 1883 });
  expect(parseLogLine("(1000.12345 Error (criu/x.c:1): y")).toMatchObject({ time: 1000.12345 });
  expect(parseLogLine("Error while talking")).toBeUndefined();
});

test("the first cause is never a consequence", () => {
  expect(firstCause(errorLines(log))).toStartWith("unix: Can't bind id 0x4d");
  expect(causeLine(errorLines(log))?.pid).toBe(4711);
  const consequences = [
    "(criu/files.c:1): Unable to open fd=0 id=0x1",
    "(criu/pie/restorer.c:1): Restorer fail 12",
    "(criu/pie/restorer.c:1): Restorer abnormal termination for 12",
    "(criu/mount.c:1): mnt: Can't remove the directory /tmp/.criu.mntns.x: Device or resource busy",
    "(criu/cr-restore.c:1): Restoring FAILED.",
    "(criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted",
    "(criu/util.c:1625): Unable to create the binfmt_misc file system: Operation not permitted",
    "(cuda_plugin.c:221): cuda_plugin: Failed to launch cuda-checkpoint to retrieve restore tid: Could not find restore thread for process ID 7",
  ];
  const errors = errorLines(consequences.map((line) => `Error ${line}`));
  expect(errors).toHaveLength(consequences.length);
  expect(firstCause(errors)).toBeUndefined();
  // How a task died is what is left of a cause that stands before; where none does, it is the cause.
  const death = errorLines(["Error (criu/cr-restore.c:1): 12 killed by signal 9: Killed"]);
  expect(firstCause(death)).toBe("12 killed by signal 9: Killed");
  // CRIU itself kills the others where one has failed, so that after a sign of that it tells nothing.
  expect(firstCause([...errors, ...death])).toBeUndefined();
  const crash = errorLines(["Error (criu/cr-restore.c:1): 12 killed by signal 11: Segmentation"]);
  expect(firstCause([...errors, ...crash])).toStartWith("12 killed by signal 11");
  expect(firstCause([...errorLines(log), ...death])).toStartWith("unix: Can't bind id 0x4d");
});

test("a start that ends at the kernel: its cause is what stands right before, if that is one", () => {
  const of = (...lines: string[]) =>
    firstCause(errorLines(lines.map((line) => `Error (criu/x.c:1): ${line}`)));
  const harmless = [
    "sockets: Diag module missing (-2)",
    "-95 reported by netlink: Operation not supported",
    "tun: Unable to create tun: No such file or directory",
  ];
  const end = "kerndat_tcp_repair failed when initializing kerndat.";
  expect(of(...harmless, "Can't create TCP socket: Permission denied", end, "more")).toBe(
    "Can't create TCP socket: Permission denied",
  );
  expect(of(...harmless, end)).toBe(end);
  const child = "Can't wait or bad status: errno=0, status=256";
  expect(of(...harmless, "Failed to set a limit: Permission denied", child, end)).toBe(
    "Failed to set a limit: Permission denied",
  );
  expect(of(harmless[0]!, harmless[2]!)).toBeUndefined();
});

test("a large file comes line by line, whatever its pieces cut", () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-log-"));
  try {
    const path = join(dir, "restore.log");
    const filler = "(00.000001) Ünïcode filler line that says nothing\n".repeat(40_000);
    writeFileSync(path, `${filler}Error (criu/a.c:1): first\n${filler}Error (criu/b.c:2): last`);
    expect(errorLines(linesOf(path)).map(({ message }) => message)).toEqual(["first", "last"]);
    expect(new Set(linesOf(path))).toContain(filler.slice(0, filler.indexOf("\n")));
    writeFileSync(path, "x".repeat(1_000_000));
    expect(Math.max(...[...linesOf(path)].map((line) => line.length))).toBeLessThan(300 * 1024);
    expect([...linesOf(join(dir, "none")), ...linesOf(dir)]).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
