/** What a watcher does from its order to its end. */
import { closeSync, readFileSync, writeSync } from "node:fs";
import { errorLines, linesOf, type Request, requestFrom, requestOptions } from "../criu/index.ts";
import { logFiles } from "../criu/log.ts";
import { openCheckpoint } from "../image/index.ts";
import { beginChanges, carryOut } from "../repair/index.ts";
import { appendToLog } from "../report/log-file.ts";
import type { Failure } from "../report/outcome.ts";
import { reasonBlock } from "../report/reasons.ts";
import { captured, harmless, line } from "../report/terminal.ts";
import { printFailure, printJournalNote, printNotes, printVerdict } from "../report/text.ts";
import { failureOf } from "../restore/failure.ts";
import { type Gate, openGate } from "../restore/gate.ts";
import { type Gatekeeper, gatekeeper } from "../restore/gatekeeper.ts";
import { dying, gone } from "../restore/tree.ts";
import { memoryFile } from "../sys/files.ts";
import { leaveSession, openProcess, readable } from "../sys/process.ts";
import { type Answer, ANSWER, type Order, ORDER } from "./watcher.ts";

export async function watch(): Promise<void> {
  const text = readFileSync(ORDER, "utf8");
  if (text === "") return;
  const order = JSON.parse(text) as Order;
  const { plan, settings } = order;
  // Signals of the caller's terminal are not for a watcher.
  leaveSession();
  const caller = openProcess(order.pid);
  if (caller < 0) return refuse("CRIU cannot be watched");
  const understood = requestFrom(order.words, process.env, requestOptions);
  const images = understood.ok ? openCheckpoint(understood.request.imagesDir) : undefined;
  if (!understood.ok || !images?.ok) return refuse("the images are gone");
  const { request } = understood;
  const { checkpoint } = images;
  const opened = order.gate ? openGate() : undefined;
  if (opened?.ok === false) return refuse(`the gate cannot be opened: ${opened.problem}`);
  using gate = opened?.gate;
  using changes = beginChanges(checkpoint.dir);
  // Settings of the kernel are its caller's here.
  const problem = carryOut({ ...plan, settings: [] }, checkpoint, changes);
  if (problem !== undefined) return refuse(problem, changes.undo());
  // A runtime's CRIU has the container's stderr.
  const forRuntime = order.runtime !== undefined;
  if (!forRuntime) printJournalNote(changes.problem);
  const { noteTree } = changes;
  const edited = plan.edits.length > 0;
  const keeper = gatekeeper({ checkpoint, request, settings, edited, noteTree, last: undefined });
  const script = gate?.script;
  const config = script && configFile(order.config, script, changes.images);
  answer({ ok: true, script, config, images: changes.images });
  if (gate === undefined) return changes.keep();

  const logBefore = logFiles(request);
  answerUntilRun(gate, keeper, order, caller);
  const { state } = keeper;
  // Of a runtime's CRIU the log was CRIU's own until now.
  const say = (print: () => void) =>
    forRuntime ? appendToLog(request.logFile, captured(print)) : print();
  const sayWhy = (cause: string, print: () => void) => {
    const by = forRuntime ? "criu, for a runtime" : "criu";
    const { imagesDir: asked, logFile: log } = request;
    const block = reasonBlock({ by, images: asked, log, cause }, print);
    if (forRuntime) appendToLog(log, block);
    else print();
  };
  if (order.notes.length > 0) say(() => order.notes.forEach((note) => line(harmless(note))));
  const mismatch = state.verdict.result === "mismatch";
  // Where a runtime's users look for what CRIU did they find that it was verified.
  if (mismatch && state.at !== "running")
    sayWhy("the restored tree is not the saved one, and was killed", () =>
      printVerdict(state.verdict),
    );
  else if (mismatch || (forRuntime && state.at === "running"))
    say(() => printVerdict(state.verdict));
  if (state.at === "running") {
    const { notes = [] } = state;
    if (notes.length > 0) say(() => printNotes(notes));
    return changes.keep();
  }
  // CRIU does not wait for all that it killed, and they may still hold what is to be taken back.
  await gone(dying());
  const left = changes.undo();
  if (mismatch && left.length === 0) return;
  const failure = await whyFailed(request, logBefore, left);
  sayWhy(failure.line, () => printFailure(failure));
}

/** A file in memory that lasts as long as the watcher. What a request says of the images goes over one of the environment. */
function configFile(
  text: string | undefined,
  script: string,
  images: string | undefined,
): string | undefined {
  const fd = text === undefined ? -1 : memoryFile("recriu-config");
  if (fd < 0) return undefined;
  const instead = images === undefined ? "" : `images-dir ${images}\n`;
  writeSync(fd, `${text}action-script ${script}\n${instead}`);
  return `/proc/${process.pid}/fd/${fd}`;
}

const refuse = (problem: string, left: string[] = []): void => answer({ ok: false, problem, left });

function answer(text: Answer): void {
  writeSync(ANSWER, JSON.stringify(text));
  closeSync(ANSWER);
}

/**
 * Answer at the gate until the tree runs, or until the process that was to become CRIU has ended. A runtime's CRIU is answered to its
 * end: up to 4.1.1 it runs a script of a configuration file twice at each point.
 */
function answerUntilRun(gate: Gate, keeper: Gatekeeper, { runtime }: Order, caller: number): void {
  let criu: number | undefined;
  const isOver = () => runtime === undefined && keeper.state.notes !== undefined;
  while (!isOver()) {
    if (!readable([gate.questions, criu ?? caller]).includes(gate.questions)) return;
    gate.answer((question) => {
      const opened = criu === undefined ? openProcess(question.criu) : -1;
      if (opened >= 0) criu = opened;
      return keeper.decide({ ...question, goOn: undefined });
    });
  }
}

/** In CRIU's own words where its log has any. */
function whyFailed(
  request: Request,
  before: Map<string, string>,
  left: string[],
): Promise<Failure> {
  const written = [...logFiles(request)].filter(([file, state]) => before.get(file) !== state);
  const errors = written.flatMap(([file]) => errorLines(linesOf(file)));
  return failureOf({ errors, otherwise: "CRIU ended before the tree ran" }, left);
}
