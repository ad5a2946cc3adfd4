/** Pseudoterminals: index, modes and size of each, and the session that it controls (ioctl_tty(2), tty.c). */
import { terminals as ttysOf, unpairedSlaves } from "../checks/tree/terminals.ts";
import { readStat } from "../host/processes.ts";
import type { TtyInfoEntry } from "../image/index.ts";
import { borrow, ioctlRead } from "../sys/descriptors.ts";
import { TIOCGWINSZ } from "../sys/linux.ts";
import type { Facet } from "./facet.ts";

const TTY_TYPE_PTY = 1;
const TCGETS = 0x5401;

const TIOCGPKT = 0x80045438;
const TIOCGPTLCK = 0x80045439;
export const TIOCGEXCL = 0x80045440;
/** struct termios of the kernel: four words of flags, the line discipline, the characters. */
const TERMIOS = 36;
const CHARACTERS = 19;

export const terminals: Facet = {
  id: "terminals",
  final: "state",
  moving: true,
  compare({ checkpoint, live, request }, { same, leftOut }) {
    // A job's terminal is the caller's; others come from where the caller says.
    if (request.shellJob || request.inheritFds.length > 0)
      return leftOut(
        "terminals, as --shell-job or --inherit-fd gives them",
        checkpoint.ttys.length,
      );
    const infos = new Map(checkpoint.ttys.map((info) => [info.id, info]));
    // Of one that is made for a runtime, the caller has the other end by now, and sets modes and size as it likes.
    const handed = new Set(
      request.orphanPtsMaster
        ? unpairedSlaves(ttysOf(checkpoint, request)).map(({ info }) => info.id)
        : [],
    );
    const seen = new Set<number>();
    for (const { task, pid, proc } of live.tasks.values()) {
      for (const { id, fd } of task.fds) {
        const info = infos.get(checkpoint.openFiles.get(id)?.tty?.tty_info_id ?? -1);
        if (info === undefined || seen.has(id)) continue;
        seen.add(id);
        if (info.type !== TTY_TYPE_PTY) {
          leftOut("terminals that are no pseudoterminals");
          continue;
        }
        const what = `terminal at descriptor ${fd}`;
        const link = proc.link(`fd/${fd}`);
        const unequal = handed.has(info.id) ? "expected" : undefined;
        const slave = /\/pts\/(\d+)$/.exec(link ?? "");
        if (slave !== null && info.pty !== undefined)
          same(task.pid, `index of the ${what}`, info.pty.index, slave[1]);
        borrow(pid, fd, (copy) => {
          const modes = ioctlRead(copy, TCGETS, TERMIOS);
          if (modes === undefined) return leftOut("terminals that are hung up");
          if (info.termios !== undefined)
            same(
              task.pid,
              `modes of the ${what}`,
              savedModes(info.termios),
              liveModes(modes),
              unequal,
            );
          const flag = (command: number) => ioctlRead(copy, command, 4)?.readInt32LE(0);
          same(task.pid, `TIOCEXCL of the ${what}`, Number(info.exclusive), flag(TIOCGEXCL));
          // Only a master has them.
          if (slave === null) {
            same(task.pid, `TIOCPKT of the ${what}`, Number(info.packet_mode), flag(TIOCGPKT));
            same(task.pid, `TIOCSPTLCK of the ${what}`, Number(info.locked), flag(TIOCGPTLCK));
          }
          const size = ioctlRead(copy, TIOCGWINSZ, 8);
          if (info.winsize !== undefined && size !== undefined) {
            const { ws_row, ws_col } = info.winsize;
            const now = `${size.readUInt16LE(2)}x${size.readUInt16LE(0)}`;
            same(task.pid, `size of the ${what}`, `${ws_col}x${ws_row}`, now, unequal);
          }
        });
      }
    }
    for (const info of infos.values()) {
      if (info.sid === 0 || info.type !== TTY_TYPE_PTY) continue;
      const leader = live.tasks.get(info.sid);
      const stat = leader && readStat(leader.pid);
      if (stat === undefined) continue;
      const index = info.pty?.index ?? 0;
      same(info.sid, `controlling terminal ${index}`, ptsDevice(index), stat.tty);
      const group = live.tasks.get(info.pgrp)?.pid;
      if (group !== undefined)
        same(info.sid, `foreground of terminal ${index}`, group, stat.foreground);
    }
  },
};

/** /dev/pts/N: major 136 and up, 256 a major; as proc_pid_stat(5) encodes it. */
const ptsDevice = (index: number): number => {
  const [major, minor] = [136 + (index >> 8), index & 0xff];
  return (major << 8) | minor;
};

/** CRIU copies the characters byte by byte into the words of the image (tty.c, termios_copy). */
function savedModes(saved: NonNullable<TtyInfoEntry["termios"]>): string {
  const { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc } = saved;
  const characters = [...new Uint8Array(new Uint32Array(c_cc).buffer)].slice(0, CHARACTERS);
  return [c_iflag, c_oflag, c_cflag, c_lflag, c_line, ...characters].join(" ");
}

const liveModes = (now: Buffer): string =>
  [0, 4, 8, 12]
    .map((at) => now.readUInt32LE(at))
    .concat([...now.subarray(16, 17 + CHARACTERS)])
    .join(" ");
