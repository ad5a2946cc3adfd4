/** errno(3) by number, as text. Results of `sys` are non-negative, or a negated errno as the kernel returns it. */

/** Numbers of x86 and arm (asm-generic/errno-base.h, errno.h). */
const names: Record<number, string> = {
  1: "Operation not permitted",
  2: "No such file or directory",
  3: "No such process",
  5: "Input/output error",
  11: "Resource temporarily unavailable",
  12: "Cannot allocate memory",
  13: "Permission denied",
  16: "Device or resource busy",
  17: "File exists",
  18: "Invalid cross-device link",
  19: "No such device",
  20: "Not a directory",
  21: "Is a directory",
  22: "Invalid argument",
  23: "Too many open files in system",
  24: "Too many open files",
  28: "No space left on device",
  30: "Read-only file system",
  36: "File name too long",
  38: "Function not implemented",
  39: "Directory not empty",
  40: "Too many levels of symbolic links",
  91: "Protocol wrong type for socket",
  98: "Address already in use",
  99: "Cannot assign requested address",
  111: "Connection refused",
  116: "Stale file handle",
};

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EIO = 5;
export const EACCES = 13;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENOTDIR = 20;
export const EROFS = 30;
export const ENAMETOOLONG = 36;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const EPROTOTYPE = 91;
export const EOPNOTSUPP = 95;
export const EADDRNOTAVAIL = 99;
export const ECONNREFUSED = 111;

/** The words that CRIU too would print for an errno (strerror(3)); its number where it is uncommon. */
export function errorText(errno: number): string {
  const number = Math.abs(errno);
  return names[number] ?? `errno ${number}`;
}
