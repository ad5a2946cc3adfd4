/**
 * What of recriu outlives the step into CRIU's place. It makes the repairs and keeps their journal, opens the gate that CRIU's action
 * script asks at, and when CRIU has failed takes everything back and explains. It ends when the tree runs, or with CRIU.
 */
import { closeSync, writeSync } from "node:fs";
import { errorLines, linesOf, type Request, requestFrom, requestOptions } from "../criu/index.ts";
import { logFiles } from "../criu/log.ts";
import { beginChanges, carryOut } from "../repair/index.ts";
import { appendToLog } from "../report/log-file.ts";
import type { Failure } from "../report/outcome.ts";
import { reasonBlock } from "../report/reasons.ts";
import { captured, harmless, line } from "../report/terminal.ts";
import { printFailure, printJournalNote, printNotes, printVerdict } from "../report/text.ts";
import { failureOf } from "../restore/failure.ts";
import { type Gate, openGate } from "../restore/gate.ts";
import { type Gatekeeper, gatekeeper } from "../restore/gatekeeper.ts";
import type { Ready } from "../restore/prepare.ts";
import { dying, gone } from "../restore/tree.ts";
import { memoryFile } from "../sys/files.ts";
import { front } from "../sys/front.ts";
import { beNamed, leaveSession, openProcess, readable } from "../sys/process.ts";
import { type Exec, letGo } from "./exec.ts";

/** What ps(1) calls it. */
const WATCHER = "recriu-watcher";

interface Watched {
  /** The words of `criu restore` that ask for what CRIU will do. */
  words: readonly string[];
  /** What the front was given. */
  exec: Exec;
  /** The text of a configuration file that the gate's script is to be added to; undefined: none is wanted. */
  config?: string;
  /** What the log is to say beside the verdict. */
  notes: readonly string[];
  /** A container runtime asks: CRIU's stderr is the container's then. */
  forRuntime: boolean;
}

/**
 * `script` is the gate's, `config` a configuration file that names it; undefined without a gate. `images`: where the
 * edited images are; undefined: nothing is edited.
 */
interface Placed {
  script: string | undefined;
  config: string | undefined;
  images: string | undefined;
}

interface Refused {
  problem: string;
  /** What could not be taken back. */
  left: string[];
}

/**
 * Make ready what a restore needs, have the front become CRIU, and watch over that to its end. `become` says why it cannot. Returns
 * why CRIU was not started, if so.
 */
export async function watch(
  { preflight: { plan, settings, checkpoint }, gate: gated }: Ready,
  watched: Watched,
  become: (placed: Placed) => string | undefined,
): Promise<Refused | undefined> {
  if (front === undefined) return refused("this recriu was built without its first instructions");
  beNamed(WATCHER);
  // Signals of the caller's terminal are not for a watcher.
  leaveSession();
  const caller = openProcess(front.pid);
  if (caller < 0) return refused("CRIU cannot be watched");
  const understood = requestFrom([...plan.options, ...watched.words], process.env, requestOptions);
  if (!understood.ok) return refused(understood.problem);
  const { request } = understood;
  const opened = gated ? openGate() : undefined;
  if (opened?.ok === false) return refused(`the gate cannot be opened: ${opened.problem}`);
  using gate = opened?.gate;
  using changes = beginChanges(checkpoint.dir);
  // Settings of the kernel are its caller's here.
  const problem = carryOut({ ...plan, settings: [] }, checkpoint, changes);
  if (problem !== undefined) return refused(problem, changes.undo());
  // A runtime's CRIU has the container's stderr.
  const { forRuntime } = watched;
  if (!forRuntime) printJournalNote(changes.problem);
  const { noteTree } = changes;
  const { edits } = plan;
  const keeper = gatekeeper({ checkpoint, request, settings, edits, noteTree, last: undefined });
  const script = gate?.script;
  using config = configFile(
    script === undefined ? undefined : watched.config,
    script,
    changes.images,
  );
  const logBefore = logFiles(request);
  const unable = become({ script, config: config?.path, images: changes.images });
  if (unable !== undefined) return refused(unable, changes.undo());
  letGo(watched.exec, forRuntime ? [0, 1, 2] : [0, 1]);
  if (gate === undefined) return void changes.keep();

  answerUntilRun(gate, keeper, forRuntime, caller);
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
  if (watched.notes.length > 0) say(() => watched.notes.forEach((note) => line(harmless(note))));
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
    return void changes.keep();
  }
  // CRIU does not wait for all that it killed, and they may still hold what is to be taken back.
  await gone(dying());
  const left = changes.undo();
  if (mismatch && left.length === 0) return undefined;
  const failure = await whyFailed(request, logBefore, left);
  sayWhy(failure.line, () => printFailure(failure));
  return undefined;
}

/** A file in memory, closed at the end. What a request says of the images goes over one of the environment. */
function configFile(
  text: string | undefined,
  script: string | undefined,
  images: string | undefined,
) {
  const fd = text === undefined ? -1 : memoryFile("recriu-config");
  if (fd < 0) return undefined;
  const instead = images === undefined ? "" : `images-dir ${images}\n`;
  writeSync(fd, `${text}action-script ${script}\n${instead}`);
  return { path: `/proc/${process.pid}/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}

const refused = (problem: string, left: string[] = []): Refused => ({ problem, left });

/**
 * Answer at the gate until the tree runs, or until the process that was to become CRIU has ended. A runtime's CRIU is answered to its
 * end: up to 4.1.1 it runs a script of a configuration file twice at each point.
 */
function answerUntilRun(gate: Gate, keeper: Gatekeeper, forRuntime: boolean, caller: number): void {
  let criu: number | undefined;
  const isOver = () => !forRuntime && keeper.state.notes !== undefined;
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
