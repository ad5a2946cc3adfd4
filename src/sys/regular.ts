/**
 * Files that are only read. To open a FIFO, a device or a tape is to do something: the other end is woken, a watchdog or a
 * tape starts. So what stands at a path is looked at before it is opened, and what was looked at is what is opened.
 */
import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { errorText } from "./errno.ts";
import { handle } from "./files.ts";
import { O_PATH } from "./linux.ts";
import { toBytes } from "./text.ts";

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

/** `errno`: negative, 0 where something is there that is no regular file. */
export type Regular =
  { ok: true; fd: number; stat: Stats } | { ok: false; errno: number; problem: string };

export const NO_REGULAR_FILE = "it is no regular file";

/** Open the regular file at `path` for reading; a link at its end is followed, as CRIU does, or with `follow` false is none. */
export function openRegular(path: string, follow = true): Regular {
  const flags = O_PATH | (follow ? 0 : O_NOFOLLOW);
  try {
    return readRegular(openSync(Buffer.from(toBytes(path)), flags));
  } catch (error) {
    return failed(error);
  }
}

/** The same for a descriptor that is open for reading; it is closed where it is on something else. */
export function regularAt(fd: number): Regular {
  const stat = fstatSync(fd);
  if (stat.isFile()) return { ok: true, fd, stat };
  closeSync(fd);
  return { ok: false, errno: 0, problem: NO_REGULAR_FILE };
}

/** The same for a handle (O_PATH) on whatever it is, which is closed. */
export function readRegular(place: number): Regular {
  try {
    const stat = fstatSync(place);
    if (!stat.isFile()) return { ok: false, errno: 0, problem: NO_REGULAR_FILE };
    // Another process's lease on the file would hold us.
    const fd = openSync(handle(place), O_RDONLY | O_NONBLOCK);
    return { ok: true, fd, stat };
  } catch (error) {
    return failed(error);
  } finally {
    closeSync(place);
  }
}

function failed(error: unknown): Regular {
  const { errno = 0, message } = error as NodeJS.ErrnoException;
  return { ok: false, errno, problem: errno === 0 ? message : errorText(errno) };
}
