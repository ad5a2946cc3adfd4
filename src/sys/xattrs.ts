/** Extended attributes of an open file, xattr(7). */
import { ptr } from "bun:ffi";
import { EOPNOTSUPP } from "./errno.ts";
import { call, cString } from "./libc.ts";

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
const LARGEST = 65536;

/** All of them by name; -errno where they cannot be read. */
export function xattrsOf(fd: number): Map<string, Buffer> | number {
  const names = Buffer.alloc(LARGEST);
  const length = Number(call((c) => c.flistxattr(fd, ptr(names), BigInt(LARGEST))));
  if (length === -EOPNOTSUPP) return new Map();
  if (length < 0) return length;
  const found = new Map<string, Buffer>();
  for (const name of names.toString("utf8", 0, length).split("\0")) {
    if (name === "") continue;
    const value = Buffer.alloc(LARGEST);
    const size = Number(
      call((c) => c.fgetxattr(fd, ptr(cString(name)), ptr(value), BigInt(LARGEST))),
    );
    if (size < 0) return size;
    found.set(name, Buffer.from(value.subarray(0, size)));
  }
  return found;
}

/** 0 or -errno. */
export const setXattr = (fd: number, name: string, value: Uint8Array): number =>
  call((c) =>
    c.fsetxattr(
      fd,
      ptr(cString(name)),
      value.length === 0 ? null : ptr(value),
      BigInt(value.length),
      0,
    ),
  );
