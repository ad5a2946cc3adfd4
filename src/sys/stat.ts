/** What a path leads to, asked without node:fs, which takes a millisecond to load. */
import { AT_FDCWD, S_IFMT } from "./linux.ts";
import { ptr } from "bun:ffi";
import { call, cString } from "./libc.ts";

const SYS_newfstatat = process.arch === "x64" ? 262n : 79n;
/** Where st_mode and st_uid are in struct stat; the other fields of here are at the same places everywhere. */
const MODE_AT = process.arch === "x64" ? 24 : 16;
const UID_AT = process.arch === "x64" ? 28 : 24;
const S_IFREG = 0o100000;

interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Bytes. */
  readonly size: number;
  readonly regular: boolean;
}

/** The bytes of a struct stat, or -errno. */
function statBytes(path: string, flags: bigint): Buffer | number {
  const [name, stat] = [cString(path), Buffer.alloc(144)];
  const [at, into] = [BigInt(ptr(name)), BigInt(ptr(stat))];
  const failed = call((c) => c.syscall(SYS_newfstatat, BigInt(AT_FDCWD), at, into, flags, 0n, 0n));
  return failed < 0 ? failed : stat;
}

/** What is at `path`, links followed; or -errno. */
export function statOf(path: string): Stat | number {
  const stat = statBytes(path, 0n);
  if (typeof stat === "number") return stat;
  return {
    dev: stat.readBigUInt64LE(0),
    ino: stat.readBigUInt64LE(8),
    size: Number(stat.readBigInt64LE(48)),
    regular: (stat.readUInt32LE(MODE_AT) & S_IFMT) === S_IFREG,
  };
}

/** Owner, mode and identity of a file: inode(7). */
export interface Holder {
  readonly uid: number;
  readonly mode: number;
}

const AT_SYMLINK_NOFOLLOW = 0x100n;

/** The same of what is at `path`, a link itself unless it is followed; or -errno. */
export function holderOf(path: string, follow: boolean): Holder | number {
  const stat = statBytes(path, follow ? 0n : AT_SYMLINK_NOFOLLOW);
  if (typeof stat === "number") return stat;
  return { uid: stat.readUInt32LE(UID_AT), mode: stat.readUInt32LE(MODE_AT) };
}

export const F_OK = 0;
export const X_OK = 1;
const AT_EACCESS = 0x200;

/** Whether this process may use what is at a path, by its effective ids: eaccess(3); `mode` as constants.R_OK, W_OK, X_OK. 0 or -errno. */
export function access(path: string, mode: number): number {
  const name = cString(path);
  return call((c) => c.faccessat(AT_FDCWD, ptr(name), mode, AT_EACCESS));
}
