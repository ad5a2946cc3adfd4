/** Pseudoterminals, on two ends of one that this process holds. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { ioctlFill, ioctlRead, ioctlSet } from "../../src/sys/descriptors.ts";
import { terminals } from "../../src/verify/terminals.ts";
import { said, type Scene } from "./tree.ts";

const TIOCSPTLCK = 0x40045431;
const TIOCGPTN = 0x80045430;
const TIOCSWINSZ = 0x5414;
const TIOCPKT = 0x5420;
const TIOCEXCL = 0x540c;
const TIOCNXCL = 0x540d;
const TCGETS = 0x5401;
const PTY = 1;

let master: number;
let slave: number;
let index: number;
let termios: object;

beforeAll(() => {
  const { O_RDWR, O_NOCTTY } = constants;
  master = openSync("/dev/ptmx", O_RDWR | O_NOCTTY);
  ioctlFill(master, TIOCSPTLCK, Buffer.alloc(4));
  index = ioctlRead(master, TIOCGPTN, 4)!.readInt32LE(0);
  slave = openSync(`/dev/pts/${index}`, O_RDWR | O_NOCTTY);
  const size = Buffer.alloc(8);
  size.writeUInt16LE(24, 0);
  size.writeUInt16LE(80, 2);
  ioctlFill(slave, TIOCSWINSZ, size);
  const modes = ioctlRead(slave, TCGETS, 36)!;
  const [c_iflag, c_oflag, c_cflag, c_lflag] = [0, 4, 8, 12].map((at) => modes.readUInt32LE(at));
  const c_cc = Buffer.alloc(20);
  modes.copy(c_cc, 0, 17, 36);
  const words = Array.from({ length: 5 }, (_, at) => c_cc.readUInt32LE(4 * at));
  termios = { c_iflag, c_oflag, c_cflag, c_lflag, c_line: modes[16], c_cc: words };
});
afterAll(() => {
  closeSync(slave);
  closeSync(master);
});

/** What is said of one end, were it saved so. */
function held(end: "master" | "slave", more: object = {}, rest: Scene = {}, sid = 0): string[] {
  const fd = end === "master" ? master : slave;
  const info = {
    id: 2,
    type: PTY,
    sid,
    pgrp: sid,
    exclusive: false,
    packet_mode: false,
    locked: false,
    pty: { index },
    termios,
    winsize: { ws_row: 24, ws_col: 80 },
    ...more,
  };
  return said(terminals, {
    saved: [{ fds: [{ fd, id: 7, flags: 0 }] }],
    now: { 10: { real: true } },
    checkpoint: { ttys: [info], openFiles: new Map([[7, { tty: { id: 7, tty_info_id: 2 } }]]) },
    ...rest,
  } as Scene);
}

const names = (lines: string[]) => lines.map((line) => line.split(" of the ")[0]);

test("either end as it was saved", () => {
  expect(held("slave")).toEqual([]);
  expect(held("master")).toEqual([]);
});

test("index, modes with every character, size", () => {
  expect(names(held("slave", { pty: { index: index + 1 } }))).toEqual(["fatal index"]);
  for (const flag of ["c_iflag", "c_oflag", "c_cflag", "c_lflag", "c_line"] as const)
    expect(names(held("slave", { termios: { ...termios, [flag]: 77 } }))).toEqual(["fatal modes"]);
  const { c_cc } = termios as { c_cc: number[] };
  for (const at of c_cc.keys())
    expect(
      names(held("slave", { termios: { ...termios, c_cc: c_cc.with(at, c_cc[at]! ^ 1) } })),
    ).toEqual(["fatal modes"]);
  for (const winsize of [
    { ws_row: 25, ws_col: 80 },
    { ws_row: 24, ws_col: 81 },
  ])
    expect(names(held("slave", { winsize }))).toEqual(["fatal size"]);
});

test("TIOCEXCL of either end; packet mode and lock of a master", () => {
  expect(names(held("slave", { exclusive: true }))).toEqual(["fatal TIOCEXCL"]);
  ioctlSet(slave, TIOCEXCL);
  expect(held("slave", { exclusive: true })).toEqual([]);
  expect(names(held("slave"))).toEqual(["fatal TIOCEXCL"]);
  ioctlSet(slave, TIOCNXCL);
  const asked = { packet_mode: true, locked: true };
  expect(names(held("master", asked))).toEqual(["fatal TIOCPKT", "fatal TIOCSPTLCK"]);
  expect(held("slave", asked)).toEqual([]);
  ioctlFill(master, TIOCPKT, Buffer.of(1, 0, 0, 0));
  expect(names(held("master"))).toEqual(["fatal TIOCPKT"]);
  ioctlFill(master, TIOCPKT, Buffer.alloc(4));
});

test("whose session it controls, and which group is in the foreground", async () => {
  const child = Bun.spawn(["setsid", "--ctty", "sleep", "60"], { stdin: slave });
  try {
    const saved = [{ fds: [{ fd: slave, id: 7, flags: 0 }] }, { pid: 20 }];
    const at = (more: object = {}, pgrp = 20) =>
      held(
        "slave",
        { sid: 20, pgrp, ...more },
        { saved, now: { 10: { real: true }, 20: { pid: child.pid, real: true } } },
        20,
      );
    // Until the child has taken it.
    for (let round = 0; round < 500 && at().length > 0; round += 1) await Bun.sleep(2);
    expect(at()).toEqual([]);
    expect(at({ pty: { index: index + 1 } })).toContainEqual(
      expect.stringContaining(`controlling terminal ${index + 1}`),
    );
    expect(at({}, 10)).toEqual([
      `fatal foreground of terminal ${index} of 20: ${process.pid}, ${child.pid}`,
    ]);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

test("a terminal that the caller gives is not compared, nor one of another kind", () => {
  const other = { pty: { index: index + 1 } };
  for (const word of ["--shell-job", "--inherit-fd=fd[3]:x"])
    expect(held("slave", other, { words: [word] })).toEqual([
      "left out: terminals, as --shell-job or --inherit-fd gives them",
    ]);
  expect(held("slave", { ...other, type: 2 })).toEqual([
    "left out: terminals that are no pseudoterminals",
  ]);
});

test("of one made for a runtime, which has its other end, modes and size are the runtime's", () => {
  const other = { winsize: { ws_row: 1, ws_col: 1 } };
  const words = ["--orphan-pts-master"];
  const rdev = { rdev: 0x8800 + index };
  expect(names(held("slave", { ...other, ...rdev }, { words }))).toEqual(["expected size"]);
  expect(names(held("slave", { ...other, ...rdev }))).toEqual(["fatal size"]);
});
