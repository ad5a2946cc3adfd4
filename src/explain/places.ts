/** Where logs are: a file, or the files of a directory that are called logs. */
import { ENAMETOOLONG, errorText } from "../sys/errno.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { isAbsent, statAt } from "../sys/look.ts";
import { join } from "../sys/path.ts";
import { namesAt } from "../sys/small-files.ts";
import { access } from "../sys/stat.ts";

const R_OK = 4;

type LogPlace = { path: string } | { path: string; problem: string } | { logs: readonly string[] };

/** A log file, or the logs in a directory. Undefined where there is none; what cannot be looked at may be one. */
export function findLogs(path: string): LogPlace | undefined {
  const stat = statAt(path);
  if (typeof stat === "number")
    return isAbsent(stat) || stat === -ENAMETOOLONG
      ? undefined
      : { path, problem: errorText(stat) };
  if (!stat.isDirectory()) return { path };
  const names = namesAt(AT_FDCWD, path);
  if (names === undefined) return { path, problem: "the directory cannot be read" };
  const logs = names
    .filter((name) => name.endsWith(".log"))
    .map((name) => ({ path: join(path, name), stat: statAt(join(path, name)) }))
    .flatMap((log) =>
      typeof log.stat !== "number" && log.stat.isDirectory()
        ? []
        : { path: log.path, time: typeof log.stat === "number" ? 0 : log.stat.mtimeMs },
    )
    .sort((a, b) => b.time - a.time);
  return { logs: logs.map((log) => log.path) };
}

/** Why nothing can be read of a file; undefined where something can. */
export function unreadable(path: string): string | undefined {
  const errno = access(path, R_OK);
  return errno < 0 ? errorText(errno) : undefined;
}
