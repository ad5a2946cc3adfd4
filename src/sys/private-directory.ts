/** A directory of recriu's own, that only this user can write to: what stands in it is believed. */
import { closeSync, constants, fstatSync, type Stats } from "node:fs";
import { EEXIST, ENOENT, ENOTDIR, errorText } from "./errno.ts";
import { mkdirat, openEntry } from "./files.ts";
import { O_PATH, OTHERS_WRITE } from "./linux.ts";
import { basename, dirname } from "./path.ts";
import { walkNamed } from "./walk.ts";

/** Why a file or directory is not to be believed; undefined: only this user can have written there. */
export function notOurs({ uid, mode }: Stats): string | undefined {
  if (uid !== process.geteuid!()) return `it belongs to uid ${uid}`;
  return (mode & OTHERS_WRITE) === 0 ? undefined : "others than its owner may write to it";
}

/**
 * Open such a directory (O_PATH); undefined when it is not there and not to be made. `named`: the owners of the
 * directories above do not count. Throws why it is not to be had.
 */
export function openPrivate(
  directory: string,
  { make, named = false }: { make: boolean; named?: boolean },
): number | undefined {
  const fails = (problem: string) => new Error(`${directory}: ${problem}`);
  const way = walkNamed(dirname(directory), { named });
  if (!way.ok) throw fails(way.problem);
  let at = way.fd;
  // Without /run, too: a root of few directories has none.
  const names = [...way.missing, basename(directory)];
  for (const [index, name] of names.entries()) {
    const mode = index === names.length - 1 ? 0o700 : 0o755;
    const made = make ? mkdirat(at, name, mode) : 0;
    const failed = made < 0 && made !== -EEXIST;
    const fd = failed ? made : openEntry(at, name, O_PATH | constants.O_DIRECTORY);
    closeSync(at);
    if (fd === -ENOENT && !make) return undefined;
    if (fd < 0) throw fails(fd === -ENOTDIR ? "it is a link, or no directory" : errorText(fd));
    at = fd;
  }
  const problem = notOurs(fstatSync(at));
  if (problem === undefined) return at;
  closeSync(at);
  throw fails(problem);
}
