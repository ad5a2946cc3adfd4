/** What a descriptor of this process is, if it is a terminal (tty_ioctl(4)). */
import { fstatSync } from "node:fs";
import { isTerminal } from "../sys/process.ts";

/** `device` is the device number, as in the tty_nr of proc_pid_stat(5); undefined when it is no terminal. */
export type Terminal = { terminal: true; device: number } | { terminal: false };

export function terminalOf(fd: number): Terminal {
  try {
    return isTerminal(fd) ? { terminal: true, device: fstatSync(fd).rdev } : { terminal: false };
  } catch {
    return { terminal: false }; // closed
  }
}
