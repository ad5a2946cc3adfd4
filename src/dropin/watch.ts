/** What a watcher does from its order to its end. */
import { closeSync, readFileSync, writeSync } from "node:fs";
import { errorLines, firstCause, linesOf, type Request, requestFrom } from "../criu/index.ts";
import { logFiles } from "../criu/log.ts";
import { explain } from "../explain/index.ts";
import { openCheckpoint } from "../image/index.ts";
import { carryOut, type Repaired } from "../repair/index.ts";
import type { Failure } from "../report/outcome.ts";
import { captured } from "../report/terminal.ts";
import { printFailure, printVerdict } from "../report/text.ts";
import { type Gate, openGate, POST_RESTORE, POST_RESUME, PRE_RESUME } from "../restore/gate.ts";
import { type Gatekeeper, gatekeeper } from "../restore/gatekeeper.ts";
import { leaveSession, openProcess, readable } from "../sys/process.ts";
import { appendToLog } from "./log.ts";
import { type Answer, ANSWER, type Order, ORDER } from "./watcher.ts";

export function watch(): void {
  const text = readFileSync(ORDER, "utf8");
  if (text === "") return;
  const order = JSON.parse(text) as Order;
  // Signals of the caller's terminal are not for a watcher.
  leaveSession();
  const criu = openProcess(order.pid);
  const ready = criu < 0 ? failure("CRIU cannot be watched") : prepare(order);
  if (!ready.ok) return answer(ready);
  answer({ ok: true, script: ready.gate?.script });
  if (ready.gate === undefined) return ready.repaired.keep();

  const { request, keeper, repaired } = ready;
  const logBefore = logFiles(request);
  const resumed = tend(ready.gate, keeper, order, criu);
  const forRuntime = order.runtime !== undefined;
  // Its log is CRIU's until CRIU has ended.
  if (forRuntime) readable([criu]);
  const say = (print: () => void) =>
    forRuntime ? appendToLog(request.logFile, captured(print)) : print();
  const mismatch = keeper.verdict.result === "mismatch";
  if (mismatch) say(() => printVerdict(keeper.verdict));
  if (resumed) return repaired.keep();
  const left = repaired.undo();
  if (!mismatch || left.length > 0)
    say(() => printFailure(whyCriuFailed(request, logBefore, left)));
}

const failure = (problem: string, left: string[] = []) => ({ ok: false as const, problem, left });

function answer(text: Answer): void {
  writeSync(ANSWER, JSON.stringify(text));
  closeSync(ANSWER);
}

interface Ready {
  ok: true;
  request: Request;
  keeper: Gatekeeper;
  repaired: Repaired;
  gate: Gate | undefined;
}

function prepare(order: Order): Ready | Extract<Answer, { ok: false }> {
  const understood = requestFrom(order.words, process.env, []);
  const opened = understood.ok ? openCheckpoint(understood.request.imagesDir) : undefined;
  if (!understood.ok || !opened?.ok) return failure("the images are gone");
  const { request } = understood;
  const { checkpoint } = opened;
  const gate = order.gate ? openGate([POST_RESTORE, PRE_RESUME, POST_RESUME]) : undefined;
  if (gate?.ok === false) return failure(`the gate cannot be opened: ${gate.problem}`);
  const made = carryOut(order.plan, checkpoint.dir);
  if (!made.ok) return failure(made.problem, made.left);
  const { repaired } = made;
  const keeper = gatekeeper(checkpoint, request, order.verify, () => {}, repaired.noteTree);
  return { ok: true, request, keeper, repaired, gate: gate?.gate };
}

/** Answer at the gate until the tree runs and CRIU asks no more, or until CRIU has ended. Whether the tree runs. */
function tend(gate: Gate, keeper: Gatekeeper, { verify }: Order, criu: number): boolean {
  for (;;) {
    if (!readable([gate.questions, criu]).includes(gate.questions)) return keeper.resumed;
    let last = false;
    gate.answer((point, root) => {
      last = point === POST_RESUME;
      return last || verify === "off" || keeper.decide(point, root);
    });
    if (last) return true;
  }
}

/** In CRIU's own words where its log has any. */
function whyCriuFailed(request: Request, before: Map<string, string>, left: string[]): Failure {
  const written = [...logFiles(request)].filter(([file, state]) => before.get(file) !== state);
  const line = firstCause(written.flatMap(([file]) => errorLines(linesOf(file))));
  return {
    line: line ?? "CRIU ended before the tree ran",
    explanation: line === undefined ? undefined : explain(line),
    left,
  };
}
