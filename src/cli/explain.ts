import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "../sys/path.ts";
import { catalogue } from "../checks/index.ts";
import { linesOf, parseLogLine } from "../criu/log.ts";
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
    if (what === "-") return tell(readLog(linesOf("/dev/stdin")), "-", images, json);
    const log = logAt(what === "" ? "." : (quotedLog(what) ?? what));
    if (log !== undefined) return tell(readLog(linesOf(log)), log, images ?? dirname(log), json);
    if (what === "") {
      line("recriu explain: there is no log of CRIU here; name one, or - for stdin");
      return exitCode.usage;
    }
    return tellLine(what, json);
  },
};

/** A log file, or the last log in a directory: `restore.log` as runtimes name it, else the newest *.log. */
function logAt(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory()) return stat === undefined ? undefined : path;
  const logs = readdirSync(path)
    .filter((name) => name.endsWith(".log"))
    .map((name) => ({ path: join(path, name), time: statSync(join(path, name)).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  return logs.find((log) => log.path.endsWith("/restore.log"))?.path ?? logs[0]?.path;
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
