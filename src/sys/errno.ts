/** errno as text. Results of `sys` are non-negative, or a negated errno as the kernel returns it. */
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";

export const {
  ENOENT,
  EACCES,
  EPERM,
  EEXIST,
  ENOTDIR,
  ENOTEMPTY,
  ELOOP,
  ESRCH,
  ENOSYS,
  EXDEV,
  EROFS,
} = constants.errno;

const texts: Record<string, string> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  EEXIST: "File exists",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  ENOTEMPTY: "Directory not empty",
  ELOOP: "Too many levels of symbolic links",
  EROFS: "Read-only file system",
  ENOSPC: "No space left on device",
  ENAMETOOLONG: "File name too long",
  ESRCH: "No such process",
};

/** The words CRIU would print for an errno (strerror(3)) where they are common, else its name. */
export function errorText(errno: number): string {
  const name = getSystemErrorName(-Math.abs(errno));
  return texts[name] ?? name;
}
