/** --pidfile: CRIU would write the number that the root task has inside, and who reads it looks from outside. */
import { closeSync, constants } from "node:fs";
import { parseWords, type Request } from "../criu/index.ts";
import { errorText } from "../sys/errno.ts";
import { createEntry } from "../sys/files.ts";
import { writeAll } from "../sys/own-file.ts";
import { basename, dirname } from "../sys/path.ts";
import { openNamed } from "../sys/walk.ts";

/** The request without its pid file. Throws where the words of the command line are not what asks for one. */
export function withoutPidfile(request: Request): Request {
  if (request.pidfile === undefined) return request;
  const parsed = parseWords(request.argv);
  // The members of a cluster have their words in common.
  const kept = parsed.ok
    ? [...new Set(parsed.options.filter(({ name }) => name !== "pidfile").map(({ argv }) => argv))]
    : [];
  if (!parsed.ok || kept.length === new Set(parsed.options.map(({ argv }) => argv)).size)
    throw new Error(
      "a configuration file of CRIU's asks for a pid file, in which CRIU would write the number inside: --pidfile on the command line is written by recriu",
    );
  const operands = parsed.operands.length > 0 ? ["--", ...parsed.operands] : [];
  return { ...request, pidfile: undefined, argv: [...kept.flat(), ...operands] };
}

/** Make the pid file as CRIU does: a new file, root's alone. Why it could not be made, in words; none where it was. */
export function writePidfile(path: string, pid: number): string[] {
  const failed = (why: string) => [`the pid file ${path} was not written: ${why}`];
  const opened = openNamed(dirname(path));
  if (!opened.ok) return failed(opened.problem);
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const fd = createEntry(opened.fd, basename(path), O_WRONLY | O_CREAT | O_EXCL, 0o600);
  closeSync(opened.fd);
  if (fd < 0) return failed(errorText(fd));
  try {
    writeAll(fd, Buffer.from(String(pid)));
    return [];
  } catch (error) {
    return failed((error as Error).message);
  } finally {
    closeSync(fd);
  }
}
