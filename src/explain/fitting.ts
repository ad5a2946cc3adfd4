/**
 * A remedy wants evidence. An entry has one for all that its message may mean; the errno of a line says which of its parts can
 * be of use: no other copy of the images helps against what the kernel refused, no larger limit against what is not allowed,
 * no right against what is not there.
 */
import type { Errno } from "./errno.ts";

/** The parts of a remedy that the errno leaves; "" where none is left. */
export function fitting(remedy: string, errno: Errno | undefined): string {
  const isRefused = errno !== undefined && errno.name !== "NONE";
  return remedy
    .split("; ")
    .flatMap((part) => {
      if (isRefused && !isOfUse(part, errno.name)) return [];
      return part.replace(COPY, COMPARE);
    })
    .join("; ");
}

function isOfUse(part: string, errno: string): boolean {
  if (COPY.test(part) && part.replace(COPY, "").length < SHORT) return false;
  if (limit.test(part)) return scarce.has(errno);
  return !right.test(part) || errno === "EPERM" || errno === "EACCES";
}

const COPY =
  /\b(?:copy the (?:whole )?checkpoint again(?:, whole)?|take another copy of the checkpoint)(?:, and compare: sha256sum)?/;
/** That the images were damaged on the way was not seen. */
const COMPARE =
  "see whether the dump ended well (the end of its dump.log), and compare the images with those that it wrote (sha256sum): copy them again where they differ; where they do not, dump and restore with a newer CRIU";
/** What may be left of a part that says nothing else. */
const SHORT = 4;

/** Nothing but a limit, or a look at memory. */
const limit = /^(?:ulimit -\w(?: \w{1,20})?|free -m)$/;
/** What is not there because there is too little of it. */
const scarce: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EAGAIN",
  "ENOBUFS",
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
]);
/** Nothing but a right. */
const right =
  /^(?:run CRIU (?:as root|with CAP_\w{1,30})|CAP_\w{1,30}(?: (?:and|or) CAP_\w{1,30})?(?: in (?:its|the namespace's) owner)?)$/;
