import { ENAMETOOLONG, errorText } from "../sys/errno.ts";
import { isAbsent, statAt } from "../sys/look.ts";
import { dirname, join } from "../sys/path.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { namesAt } from "../sys/small-files.ts";
import { access } from "../sys/stat.ts";
import { catalogue } from "../checks/index.ts";
import { parseLogLine } from "../criu/log.ts";
import { linesNamed, linesOf } from "../host/lines.ts";
import { explain } from "../explain/index.ts";
import { aboutOf, type LogReport, readLog } from "../explain/log.ts";
import { openCheckpoint } from "../image/index.ts";
import { checkList, checkPage, exitPage } from "../report/pages.ts";
import { printExplanation, printLogReport } from "../report/text.ts";
import { refused, said, type Told, tellLines } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";
import { near } from "./near.ts";

const args = {
  what: {
    type: "positional",
    required: false,
    description:
      "a log, a directory with one, - for stdin, an error text, the id of a check, or an exit code",
  },
  "images-dir": {
    type: "string",
    alias: "D",
    valueHint: "DIR",
    description: "the images: ids in the log become paths (default: beside the log)",
  },
  list: { type: "boolean", description: "list the checks" },
  json: { type: "boolean", description: "one JSON document on stdout" },
} as const;

const R_OK = 4;
/** Nothing is known of what was asked. */
const UNKNOWN = 1;

export const command: Command = {
  meta: {
    name: "explain",
    description:
      "Explain a CRIU log: the first real error, its cause, its remedy. Or a check by its id, or an exit code. Offline.",
  },
  args,
  run({ rawArgs }): Told {
    const parsed = parseStrictly("explain", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const { values, operands } = parsed;
    const what = operands.join(" ");
    if (values.list === true) return { exit: exitCode.ok, text: checkList() };
    const check = catalogue.find((entry) => entry.id === what);
    const page = check === undefined ? exitPage(what) : checkPage(check);
    if (page !== undefined) return { exit: exitCode.ok, text: page };
    const images = values["images-dir"] === undefined ? undefined : String(values["images-dir"]);
    const json = values.json === true;
    const log =
      what === "-" ? { path: "/dev/stdin" } : logAt(what === "" ? "." : (quotedLog(what) ?? what));
    if (log !== undefined && "path" in log) {
      const { path } = log;
      const problem = unreadable(path);
      if (problem !== undefined) return cannot(path, problem);
      const beside = what === "-" ? undefined : dirname(path);
      // What was named is read to its end, be it a pipe; what was found is a log or nothing.
      const lines = what === "-" || what === path ? linesNamed(path) : linesOf(path);
      return ofLog(readLog(lines), what === "-" ? "-" : path, images ?? beside, json);
    }
    if (log !== undefined) return cannot(log.at, log.problem);
    if (what === "")
      return refused(
        "explain",
        exitCode.usage,
        "there is no log of CRIU here; name one, or - for stdin",
      );
    return ofLine(what, json);
  },
};

type Log = { path: string } | { at: string; problem: string };

/**
 * A log file, or the last log in a directory: `restore.log` as runtimes name it, else the newest *.log. Undefined where there
 * is none; what cannot be looked at may be one.
 */
function logAt(path: string): Log | undefined {
  const stat = statAt(path);
  if (typeof stat === "number")
    return isAbsent(stat) || stat === -ENAMETOOLONG
      ? undefined
      : { at: path, problem: errorText(stat) };
  if (!stat.isDirectory()) return { path };
  const names = namesAt(AT_FDCWD, path);
  if (names === undefined) return { at: path, problem: "the directory cannot be read" };
  const logs = names
    .filter((name) => name.endsWith(".log"))
    .map((name) => ({ path: join(path, name), stat: statAt(join(path, name)) }))
    .flatMap((log) =>
      typeof log.stat !== "number" && log.stat.isDirectory()
        ? []
        : { path: log.path, time: typeof log.stat === "number" ? 0 : log.stat.mtimeMs },
    )
    .sort((a, b) => b.time - a.time);
  return logs.find((log) => log.path.endsWith("/restore.log")) ?? logs[0];
}

/** Why nothing can be read of a file; undefined where something can. */
function unreadable(path: string): string | undefined {
  const errno = access(path, R_OK);
  return errno < 0 ? errorText(errno) : undefined;
}

const cannot = (path: string, problem: string): Told =>
  refused(
    "explain",
    exitCode.usage,
    `${path} cannot be read: ${problem}; whether CRIU wrote an error there is not known`,
  );

/** runc, containerd and Podman say where the log is: `log file: PATH`. */
const quotedLog = (text: string): string | undefined =>
  /log ?file:? [`"']?(\/[^\s`"':\\]+)/.exec(text)?.[1];

function ofLog(report: LogReport, log: string, images: string | undefined, json: boolean): Told {
  const opened = images === undefined ? undefined : openCheckpoint(images);
  const about =
    opened?.ok && opened.checkpoint.files.has("inventory.img") && report.cause !== undefined
      ? aboutOf(opened.checkpoint, report.cause)
      : [];
  const known =
    report.explanation !== undefined || (report.cause === undefined && report.succeeded);
  const exit = known ? exitCode.ok : UNKNOWN;
  if (json) return { exit, json: { log, about, ...report } };
  printLogReport(report, log, about);
  return { exit };
}

function ofLine(text: string, json: boolean): Told {
  const explanation = explain(parseLogLine(text)?.message ?? text);
  const exit = explanation === undefined ? UNKNOWN : exitCode.ok;
  if (json) return { exit, json: { explanation: explanation ?? null } };
  if (explanation === undefined) {
    const ids = catalogue.map(({ id }) => id);
    return refused(
      "explain",
      exit,
      `nothing is known of “${text}”${near(text, ids)}; --list shows the checks`,
    );
  }
  tellLines([said`${explanation.line}`]);
  printExplanation(explanation);
  return { exit };
}
