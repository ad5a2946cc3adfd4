/** What a path leads to, asked without node:fs, which takes a millisecond to load. */
import { ENAMETOOLONG } from "./errno.ts";
import { AT_FDCWD, S_IFMT } from "./linux.ts";
import { ptr } from "bun:ffi";
import { cPath } from "./c-path.ts";
import { call, errno, libc } from "./libc.ts";

const SYS_newfstatat = process.arch === "x64" ? 262n : 79n;
/** Where st_mode and st_uid are in struct stat; the other fields of here are at the same places everywhere. */
const MODE_AT = process.arch === "x64" ? 24 : 16;
const UID_AT = process.arch === "x64" ? 28 : 24;
const S_IFREG = 0o100000;

export interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Bytes, and those that its file system has of them. */
  readonly size: number;
  readonly stored: number;
  readonly regular: boolean;
}

const bytes = Buffer.alloc(144);

/** The bytes of a struct stat, until the next one is asked for; or -errno. */
function statBytes(path: string, flags: bigint): Buffer | number {
  const name = cPath(path);
  if (name === undefined) return -ENAMETOOLONG;
  const [here, at, into] = [BigInt(AT_FDCWD), BigInt(name), BigInt(ptr(bytes))];
  const failed = call((c) => c.syscall(SYS_newfstatat, here, at, into, flags, 0n, 0n));
  return failed < 0 ? failed : bytes;
}

/** What is at `path`, links followed; or -errno. */
export function statOf(path: string): Stat | number {
  const stat = statBytes(path, 0n);
  if (typeof stat === "number") return stat;
  return {
    dev: stat.readBigUInt64LE(0),
    ino: stat.readBigUInt64LE(8),
    size: Number(stat.readBigInt64LE(48)),
    stored: Number(stat.readBigInt64LE(64)) * 512,
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
  const name = cPath(path);
  if (name === undefined) return -ENAMETOOLONG;
  return libc().faccessat(AT_FDCWD, name, mode, AT_EACCESS) === 0 ? 0 : -errno();
}
