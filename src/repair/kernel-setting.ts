/** Settings of the kernel that are changed for a restore: never narrower, and given back as they were. */
import { closeSync, constants } from "node:fs";
import type { Setting } from "../checks/index.ts";
import { errorText } from "../sys/errno.ts";
import { openEntry } from "../sys/files.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { writeAll } from "../sys/own-file.ts";
import { readAt } from "../sys/small-files.ts";
import { stepOf } from "./place.ts";
import type { Step } from "./step.ts";

/** Change one, unless it is wide enough by now; it is written down before. Why it is not as it is to be, in words. */
export function changeSetting(
  { path, from, to, stays }: Setting,
  record: (step: Step) => void,
): string | undefined {
  const now = valueAt(path);
  const isEnough = (value: number) => (to > from ? value >= to : value <= to);
  if (now === undefined) return `${path} cannot be read`;
  if (isEnough(now)) return undefined;
  const note = (made: number) =>
    record({
      ...stepOf({ kind: "sysctl", root: "/", path, like: `${now}:${made}` }),
      ...(!stays && { briefly: true }),
    });
  note(to);
  const fd = openEntry(AT_FDCWD, path, constants.O_WRONLY);
  if (fd < 0) return `${path} cannot be changed: ${errorText(fd)}`;
  try {
    writeAll(fd, Buffer.from(`${to}\n`));
  } catch (error) {
    return `${path} cannot be set to ${to}: ${(error as Error).message}`;
  } finally {
    closeSync(fd);
  }
  // The kernel rounds some, and of huge pages it sets aside what it finds.
  const made = valueAt(path);
  if (made !== undefined && made !== to) note(made);
  return made !== undefined && isEnough(made)
    ? undefined
    : `${path} is ${made} after ${to} was written`;
}

function valueAt(path: string): number | undefined {
  const text = readAt(AT_FDCWD, path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
