/** What a path leads to, asked without node:fs, whose loading takes a millisecond. */
import { ptr } from "bun:ffi";
import { call, cString } from "./libc.ts";
import { AT_FDCWD } from "./small-files.ts";

const SYS_newfstatat = process.arch === "x64" ? 262n : 79n;
/** Where st_mode is in struct stat; the other fields of here are at the same places everywhere. */
const MODE_AT = process.arch === "x64" ? 24 : 16;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

export interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Bytes. */
  readonly size: number;
  readonly regular: boolean;
}

/** What is at `path`, links followed; or -errno. */
export function statOf(path: string): Stat | number {
  const [name, stat] = [cString(path), Buffer.alloc(144)];
  const [at, into] = [BigInt(ptr(name)), BigInt(ptr(stat))];
  const failed = call((c) => c.syscall(SYS_newfstatat, BigInt(AT_FDCWD), at, into, 0n, 0n, 0n));
  if (failed < 0) return failed;
  return {
    dev: stat.readBigUInt64LE(0),
    ino: stat.readBigUInt64LE(8),
    size: Number(stat.readBigInt64LE(48)),
    regular: (stat.readUInt32LE(MODE_AT) & S_IFMT) === S_IFREG,
  };
}

export const X_OK = 1;
const AT_EACCESS = 0x200;

/** access(2) on a path with the effective ids; `mode` as constants.R_OK, W_OK, X_OK. 0 or -errno. */
export function access(path: string, mode: number): number {
  const name = cString(path);
  return call((c) => c.faccessat(AT_FDCWD, ptr(name), mode, AT_EACCESS));
}
