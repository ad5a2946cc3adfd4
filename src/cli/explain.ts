import { ENAMETOOLONG, errorText } from "../sys/errno.ts";
import { isAbsent, statAt } from "../sys/look.ts";
import { dirname, join } from "../sys/path.ts";
import { AT_FDCWD, namesAt } from "../sys/small-files.ts";
import { access } from "../sys/stat.ts";
import { catalogue } from "../checks/index.ts";
import { parseLogLine } from "../criu/log.ts";
import { linesOf } from "../host/lines.ts";
import { explain } from "../explain/index.ts";
import { aboutOf, type LogReport, readLog } from "../explain/log.ts";
import { openCheckpoint } from "../image/index.ts";
import { printJson } from "../report/json.ts";
import { checkPage, exitPage } from "../report/pages.ts";
import { printExplanation, printLogReport } from "../report/text.ts";
import { harmless, line, printText } from "../report/terminal.ts";
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
  run({ rawArgs }): number {
    const parsed = parseStrictly("explain", args, rawArgs);
    if (parsed === undefined) return exitCode.usage;
    const { values, operands } = parsed;
    const what = operands.join(" ");
    if (values.list === true) {
      printText(catalogue.map((check) => `${check.id.padEnd(22)} ${check.title}`).join("\n"));
      return exitCode.ok;
    }
    const check = catalogue.find((entry) => entry.id === what);
    const page = check === undefined ? exitPage(what) : checkPage(check);
    if (page !== undefined) {
      printText(page);
      return exitCode.ok;
    }
    const images = values["images-dir"] === undefined ? undefined : String(values["images-dir"]);
    const json = values.json === true;
    const log =
      what === "-" ? { path: "/dev/stdin" } : logAt(what === "" ? "." : (quotedLog(what) ?? what));
    if (log !== undefined && "path" in log) {
      const { path } = log;
      const problem = unreadable(path);
      if (problem !== undefined) return cannot(path, problem);
      const beside = what === "-" ? undefined : dirname(path);
      return tell(readLog(linesOf(path)), what === "-" ? "-" : path, images ?? beside, json);
    }
    if (log !== undefined) return cannot(log.at, log.problem);
    if (what === "") {
      line("recriu explain: there is no log of CRIU here; name one, or - for stdin");
      return exitCode.usage;
    }
    return tellLine(what, json);
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

function cannot(path: string, problem: string): number {
  line(
    `recriu explain: ${harmless(path)} cannot be read: ${problem}; whether CRIU wrote an error there is not known`,
  );
  return exitCode.usage;
}

/** runc, containerd and Podman say where the log is: `log file: PATH`. */
const quotedLog = (text: string): string | undefined =>
  /log ?file:? [`"']?(\/[^\s`"':\\]+)/.exec(text)?.[1];

function tell(report: LogReport, log: string, images: string | undefined, json: boolean): number {
  const opened = images === undefined ? undefined : openCheckpoint(images);
  const about =
    opened?.ok && opened.checkpoint.files.has("inventory.img") && report.cause !== undefined
      ? aboutOf(opened.checkpoint, report.cause)
      : [];
  if (json) printJson({ log, about, ...report });
  else printLogReport(report, log, about);
  return report.explanation !== undefined || (report.cause === undefined && report.succeeded)
    ? exitCode.ok
    : UNKNOWN;
}

function tellLine(text: string, json: boolean): number {
  const explanation = explain(parseLogLine(text)?.message ?? text);
  if (json) printJson({ explanation: explanation ?? null });
  else if (explanation !== undefined) {
    line(harmless(explanation.line));
    printExplanation(explanation);
  } else {
    const ids = catalogue.map(({ id }) => id);
    line(
      `recriu explain: nothing is known of “${harmless(text)}”${near(text, ids)}; --list shows the checks`,
    );
  }
  return explanation === undefined ? UNKNOWN : exitCode.ok;
}
