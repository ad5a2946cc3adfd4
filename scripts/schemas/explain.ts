/** What `recriu explain --json` prints. */
import type { Log } from "../../src/explain/run.ts";
import type { ExplainDocument } from "../../src/report/documents.ts";
import { check, explanation, logLine } from "./parts.ts";
import {
  either,
  flag,
  integer,
  list,
  maybe,
  nothing,
  object,
  oneOf,
  orNull,
  type Plain,
  type Shape,
  text,
} from "./shape.ts";

const log = {
  version: maybe(text("CRIU's, as the log has it")),
  way: maybe(oneOf(["dump", "restore", "check"])),
  ended: maybe(oneOf(["well", "badly"])),
  cause: maybe(logLine),
  explanation: maybe(explanation),
  sign: maybe(logLine),
  later: maybe(explanation),
  lead: maybe(
    object({
      line: text("the line of which nothing is known"),
      about: text(
        "what CRIU does in the source of that line, or what its words are about; empty where neither says",
      ),
      because: maybe(text("what the kernel means by its errno")),
      look: text("where to look, with commands and options; no remedy"),
      checks: list(text(), "checks of what it needs, before a restore"),
    }),
  ),
  refusal: maybe(text("the last line that is called no error and says what the kernel refused")),
  hint: maybe(explanation),
  warnings: list(explanation),
  untraced: list(logLine, "warnings of tasks that CRIU may not trace"),
  quiet: list(
    object({ message: text("the warning"), known: maybe(explanation) }),
    "the first of all other warnings",
  ),
  besides: list(explanation, "other errors behind the cause, of lines without times"),
  previous: maybe(logLine),
  begun: maybe(logLine),
  last: maybe(logLine),
  before: list(text(), "lines before the cause"),
  after: list(text(), "the errors after it"),
  progress: integer("how far a dump went on behind the cause; -1 where it let its tasks go"),
  objects: list(text(), "what the lines around the cause name: a descriptor, a device, an image"),
} as const;
const run: Shape<Plain<Log>> = object(log);

export const explain: Shape<Plain<ExplainDocument>> = either(
  object({
    log: text("its path; - where it was stdin or words"),
    about: list(text(), "what numbers in the cause are, by the images"),
    kept: orNull(text(), "how a log that is gone is kept next time"),
    memory: list(text(), "what the kernel has killed for want of memory"),
    ...log,
    others: list(run, "earlier runs in the same log"),
    said: maybe(explanation),
    named: maybe(text("where the log of CRIU is, by the words of its caller")),
    ending: maybe(text("the last line that is CRIU's")),
    loop: list(text(), "lines that it ends with again and again"),
    helper: maybe(text("what a program says that CRIU called")),
    isDump: flag("all that is shown is of a dump"),
    hasRestore: flag("a restore is shown, too, as a command or in words"),
    failed: flag(),
    uneventful: flag("what a terminal shows, and no line of others sounds like a failure"),
    refused: list(text(), "findings with which recriu refused the restore, by their ids"),
    speaker: maybe(
      object({
        name: text("the program that says what nothing is known of"),
        look: text("where it says more"),
      }),
    ),
    kind: oneOf(["log", "words", "none"]),
    succeeded: flag(),
    lines: integer(),
  }),
  object({ explanation: nothing }),
  object({ check }),
  object({ exit_code: integer(), means: text() }),
  object({
    checks: list(check),
    known: list(object({ says: text("CRIU's own format"), check: text() })),
  }),
);
