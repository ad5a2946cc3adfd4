/** What a watcher does from its order to its end. */
import { closeSync, readFileSync, writeSync } from "node:fs";
import {
  errorLines,
  firstCause,
  linesOf,
  type Request,
  requestFrom,
  requestOptions,
  since,
} from "../criu/index.ts";
import { logFiles } from "../criu/log.ts";
import { explain } from "../explain/index.ts";
import { type Checkpoint, openCheckpoint } from "../image/index.ts";
import { carryOut, type Changes } from "../repair/index.ts";
import { appendToLog } from "../report/log-file.ts";
import type { Failure } from "../report/outcome.ts";
import { captured, harmless, line } from "../report/terminal.ts";
import { printFailure, printJournalNote, printNotes, printVerdict } from "../report/text.ts";
import { dedupLater } from "../restore/consumed.ts";
import { type Gate, openGate, POST_RESTORE, POST_RESUME, PRE_RESUME } from "../restore/gate.ts";
import { type Gatekeeper, gatekeeper } from "../restore/gatekeeper.ts";
import { dying, gone } from "../restore/tree.ts";
import { memoryFile } from "../sys/files.ts";
import type { Verdict } from "../verify/index.ts";
import { leaveSession, openProcess, readable } from "../sys/process.ts";
import { type Answer, ANSWER, type Order, ORDER } from "./watcher.ts";

export async function watch(): Promise<void> {
  const text = readFileSync(ORDER, "utf8");
  if (text === "") return;
  const order = JSON.parse(text) as Order;
  // Signals of the caller's terminal are not for a watcher.
  leaveSession();
  const caller = openProcess(order.pid);
  const ready = caller < 0 ? failure("CRIU cannot be watched") : prepare(order);
  if (!ready.ok) return answer(ready);
  const script = ready.gate?.script;
  const { images } = ready.repaired;
  const config = script && configFile(order.config, script, images);
  answer({ ok: true, script, config, images });
  if (ready.gate === undefined) return ready.repaired.keep();

  const { checkpoint, request, keeper, repaired } = ready;
  const logBefore = logFiles(request);
  const dedup = dedupLater(checkpoint, request);
  const asked = tend(ready.gate, keeper, order, caller, dedup);
  const forRuntime = order.runtime !== undefined;
  // Of a runtime's CRIU the log was CRIU's own until now.
  const say = (print: () => void) =>
    forRuntime ? appendToLog(request.logFile, captured(print)) : print();
  if (order.notes.length > 0) say(() => order.notes.forEach((note) => line(harmless(note))));
  const mismatch = keeper.verdict.result === "mismatch";
  // Where a runtime's users look for what CRIU did they find that it was verified.
  if (mismatch || (forRuntime && asked.resumed)) say(() => printVerdict(keeper.verdict));
  if (asked.notes.length > 0) say(() => printNotes(asked.notes));
  if (asked.resumed) return repaired.keep();
  // CRIU does not wait for all that it killed, and they may still hold what is to be taken back.
  await gone(dying());
  const left = repaired.undo();
  if (!mismatch || left.length > 0)
    say(() => printFailure(whyCriuFailed(request, logBefore, left)));
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

const failure = (problem: string, left: string[] = []) => ({ ok: false as const, problem, left });

function answer(text: Answer): void {
  writeSync(ANSWER, JSON.stringify(text));
  closeSync(ANSWER);
}

interface Ready {
  ok: true;
  checkpoint: Checkpoint;
  request: Request;
  keeper: Gatekeeper;
  repaired: Changes;
  gate: Gate | undefined;
}

function prepare(order: Order): Ready | Extract<Answer, { ok: false }> {
  const understood = requestFrom(order.words, process.env, requestOptions);
  const opened = understood.ok ? openCheckpoint(understood.request.imagesDir) : undefined;
  if (!understood.ok || !opened?.ok) return failure("the images are gone");
  const { request } = understood;
  const { checkpoint } = opened;
  if (!order.gate && request.autoDedup)
    return failure("--auto-dedup waits for a tree that runs, which this CRIU does not tell of");
  // At the gate edits are set right, and known to have been read.
  if (!order.gate && order.plan.edits.length > 0)
    return failure(
      `images are only edited for a CRIU that can be held at the gate: ${since.scriptsBesideRpc} or later`,
    );
  const gate = order.gate ? openGate([POST_RESTORE, PRE_RESUME, POST_RESUME]) : undefined;
  if (gate?.ok === false) return failure(`the gate cannot be opened: ${gate.problem}`);
  const made = carryOut(order.plan, checkpoint);
  if (!made.ok) return failure(made.problem, made.left);
  const { repaired } = made;
  // A runtime's CRIU has the container's stderr.
  if (order.runtime === undefined) printJournalNote(repaired.problem);
  const judging = { ...order.own, edited: order.plan.edits.length > 0 };
  const keeper = gatekeeper(checkpoint, request, judging, repaired.dropImages, repaired.noteTree);
  return { ok: true, checkpoint, request, keeper, repaired, gate: gate?.gate };
}

interface Asked {
  resumed: boolean;
  criu: number | undefined;
  /** What was not done when the tree ran. */
  notes: string[];
}

/**
 * Answer at the gate until the tree runs, or until who was to become CRIU has ended. `resumed`: the tree runs; `criu`: a
 * descriptor of the process that asked. A runtime's CRIU is answered to its end: up to 4.1.1 it runs a script of a
 * configuration file twice at each point.
 */
function tend(
  gate: Gate,
  keeper: Gatekeeper,
  { runtime }: Order,
  caller: number,
  onRun: (verdict: Verdict) => string[],
): Asked {
  let criu: number | undefined;
  let last = false;
  let notes: string[] = [];
  for (;;) {
    if (!readable([gate.questions, criu ?? caller]).includes(gate.questions))
      return { resumed: last || keeper.resumed, criu, notes };
    gate.answer((point, root, asker) => {
      const opened = criu === undefined ? openProcess(asker) : -1;
      if (opened >= 0) criu = opened;
      if (point === POST_RESUME && !last) notes = onRun(keeper.verdict);
      last ||= point === POST_RESUME;
      return last || keeper.decide(point, root, asker);
    });
    if (last && runtime === undefined) return { resumed: true, criu, notes };
  }
}

/** In CRIU's own words where its log has any. */
function whyCriuFailed(request: Request, before: Map<string, string>, left: string[]): Failure {
  const written = [...logFiles(request)].filter(([file, state]) => before.get(file) !== state);
  const cause = firstCause(written.flatMap(([file]) => errorLines(linesOf(file))));
  return {
    line: cause ?? "CRIU ended before the tree ran",
    explanation: cause === undefined ? undefined : explain(cause),
    left,
    at: [],
  };
}
