import { statAt } from "../sys/look.ts";
import { dirname } from "../sys/path.ts";
import { catalogue } from "../checks/index.ts";
import { entries } from "../explain/index.ts";
import { aboutOf } from "../explain/ids.ts";
import { type LogReport, logReader } from "../explain/log.ts";
import { hasFailed } from "../explain/run.ts";
import { findLogs, unreadable } from "../explain/places.ts";
import { keptHow } from "../explain/runtimes.ts";
import { chunksOf } from "../host/lines.ts";
import { memoryKills } from "../host/memory-kills.ts";
import { leftOutIn, openCheckpoint } from "../image/index.ts";
import {
  printDirectory,
  printLogReport,
  printNamedLog,
  printNoLog,
  printUnknownWords,
} from "../report/log-report.ts";
import type { ExplainDocument } from "../report/documents.ts";
import { checkDocument, checkList, checkPage, checksDocument, exitMeans } from "../report/pages.ts";
import { refused, type Told } from "../report/told.ts";
import { exitCode } from "../report/outcome.ts";
import type { Command } from "./command.ts";
import { parseStrictly } from "./arguments.ts";
import { near } from "./near.ts";

const args = {
  what: {
    type: "positional",
    required: false,
    description:
      "a log, a directory with logs, - for stdin, an error text, the id of a check, or an exit code",
  },
  "images-dir": {
    type: "string",
    alias: "D",
    valueHint: "DIR",
    description:
      "the images, by which numbers in the log become paths (default: those beside the log)",
  },
  list: {
    type: "boolean",
    description: "list the checks, and the messages of CRIU that are known",
  },
  json: { type: "boolean", description: "print one JSON document on stdout" },
} as const;

/** A word that is meant as a path. */
const likeAPath = /^(?:\.{0,2}\/\S*|\S+\.log)$/;
/** Nothing is known of what was asked. */
const UNKNOWN = 1;
const NO_LOG = 2;
/** Logs of a directory that are looked at, the newest first. */
const LOGS = 20;

export const command: Command = {
  meta: {
    name: "explain",
    description:
      "Explain a CRIU log: the first real error, its cause, its remedy. Or a runtime's message, a check by its id, an exit code. Offline.",
  },
  args,
  run({ rawArgs }): Told {
    const parsed = parseStrictly("explain", args, rawArgs);
    if (!parsed.ok) return parsed.told;
    const { values, operands } = parsed;
    const what = operands.join(" ");
    const json = values.json === true;
    if (values.list === true) return list(json);
    const check = catalogue.find((entry) => entry.id === what);
    if (check !== undefined)
      return told(json, { check: checkDocument(check) }, () => checkPage(check));
    const means = exitMeans(what);
    if (means !== undefined)
      return told(json, { exit_code: Number(what), means }, () => `exit code ${what}: ${means}`);
    const images = values["images-dir"] === undefined ? undefined : String(values["images-dir"]);
    if (what === "-") return tell({ path: "/dev/stdin", name: "-" }, images, json);
    const found = findLogs(what === "" ? "." : what);
    if (found === undefined && likeAPath.test(what)) return cannot(what, "no such file");
    if (found === undefined) return tellWords(what, images, json);
    if ("problem" in found) return cannot(found.path, found.problem);
    if ("logs" in found) return tellDirectory(found.logs, what === "" ? "." : what, images, json);
    return tell({ path: found.path, name: found.path }, images, json);
  },
};

function list(json: boolean): Told {
  const known = entries().flatMap(({ says, check }) =>
    says.map(({ text }) => ({ says: text, check })),
  );
  const messages = `${known.length} messages:\n${known.map(({ says }) => says).join("\n")}`;
  return told(json, { ...checksDocument(), known }, () => `${checkList()}\n\n${messages}`);
}

/** The document, or the page. */
const told = (json: boolean, document: ExplainDocument, page: () => string): Told => ({
  exit: exitCode.ok,
  ...(json ? { json: document } : { text: page() }),
});

const cannot = (path: string, problem: string): Told =>
  refused(
    "explain",
    exitCode.usage,
    `${path} cannot be read: ${problem}; whether CRIU wrote an error there is not known`,
  );

/** `named`: somebody named it to be read, be it a pipe; what was found, or stands in a log, is a file or nothing. */
function read(path: string, named = false): LogReport {
  const reader = logReader();
  for (const chunk of chunksOf(path, named)) if (!reader.feed(chunk)) break;
  return reader.end();
}

interface Named {
  path: string;
  name: string;
}

function tell({ path, name }: Named, images: string | undefined, json: boolean): Told {
  const problem = unreadable(path);
  if (problem !== undefined) return cannot(path, problem);
  return tellReport(
    read(path, true),
    { log: name, isFile: name !== "-" },
    images ?? (name === "-" ? undefined : dirname(path)),
    json,
  );
}

/** The newest that failed, or else the newest. */
function tellDirectory(
  logs: readonly string[],
  directory: string,
  images: string | undefined,
  json: boolean,
): Told {
  const looked = logs.slice(0, LOGS).map((path) => {
    const problem = unreadable(path);
    return { path, problem, report: problem === undefined ? read(path) : undefined };
  });
  const readable = looked.filter(({ report }) => report !== undefined);
  const first =
    readable.find(({ report }) => failed(report!)) ??
    readable.find(({ report }) => report!.kind !== "none") ??
    readable[0];
  if (first === undefined) {
    const closed = looked[0];
    if (closed?.problem !== undefined) return cannot(closed.path, closed.problem);
    return refused(
      "explain",
      NO_LOG,
      `there is no log of CRIU in ${directory}; name one, or - for stdin`,
    );
  }
  if (!json && looked.length > 1)
    printDirectory(
      looked.map(({ path, problem, report }) => ({
        path,
        problem,
        report,
        told: path === first.path,
      })),
    );
  return tellReport(
    first.report!,
    { log: first.path, isFile: true },
    images ?? dirname(first.path),
    json,
  );
}

const failed = (report: LogReport): boolean =>
  report.kind === "log" && !report.succeeded && (hasFailed(report) || report.refused.length > 0);

interface From {
  /** A path, or `-`. */
  readonly log: string;
  /** Of a file of this machine: of what was pasted nothing says where it is from. */
  readonly isFile: boolean;
}

function tellReport(
  report: LogReport,
  { log, isFile }: From,
  images: string | undefined,
  json: boolean,
): Told {
  // A runtime's line alone leads to CRIU's own log, where that still is.
  if (report.cause === undefined && report.named?.startsWith("/") === true) {
    const own = statAt(report.named);
    if (typeof own !== "number" && own.isFile() && unreadable(report.named) === undefined) {
      if (!json) printNamedLog(report.named, isFile);
      const its = { ...read(report.named), named: undefined };
      return tellReport(its, { log: report.named, isFile }, images, json);
    }
  }
  const opened = images === undefined ? undefined : openCheckpoint(images, leftOutIn(images));
  const about =
    opened?.ok && opened.checkpoint.files.has("inventory.img") && report.cause !== undefined
      ? aboutOf(opened.checkpoint, report.cause)
      : [];
  const kept = report.named === undefined ? undefined : keptHow(report.named);
  const memory = isFile ? killsOf(report) : [];
  // Of a line that only comes of something else, or behind which CRIU goes on, it is known that it does.
  const ofSign = report.sign === undefined ? undefined : report.later;
  const found =
    report.explanation ??
    report.said ??
    report.refused[0] ??
    ofSign ??
    report.hint ??
    toldOf(report);
  const isKnown = found !== undefined || report.succeeded;
  const exit = report.kind === "none" ? NO_LOG : isKnown ? exitCode.ok : UNKNOWN;
  if (json)
    return {
      exit,
      json: { log, about, kept: kept ?? null, memory, ...report } satisfies ExplainDocument,
    };
  if (report.kind === "none") printNoLog(log);
  else printLogReport(report, log, { about, kept, memory });
  return { exit };
}

/** A warning that is told with its cause, where nothing is seen to have failed: that would be left without one. */
const toldOf = ({ warnings, quiet, ended }: LogReport) =>
  ended === "badly"
    ? undefined
    : (warnings[0] ?? quiet.find(({ known }) => known !== undefined)?.known);

/** What this machine's kernel says of a task that was killed. */
function killsOf({ explanation }: LogReport): string[] {
  const pid = /\b(\d{1,10}) killed by signal 9\b/.exec(explanation?.line ?? "")?.[1];
  return pid === undefined ? [] : memoryKills(pid);
}

/** A text in the place of a log: a message, or what somebody copied. */
function tellWords(text: string, images: string | undefined, json: boolean): Told {
  const reader = logReader({ words: true });
  reader.feed(Buffer.from(text));
  const report = reader.end();
  const isTold = report.kind === "log" || (report.said ?? report.named) !== undefined;
  if (isTold) return tellReport(report, { log: "-", isFile: false }, images, json);
  if (json) return { exit: UNKNOWN, json: { explanation: null } satisfies ExplainDocument };
  const ids = catalogue.map(({ id }) => id);
  printUnknownWords(text, near(text, ids));
  return { exit: UNKNOWN };
}
