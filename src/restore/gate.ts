/**
 * Where recriu holds CRIU. CRIU runs an action script at fixed points of a restore and waits for it (criu(8),
 * --action-script); ours asks recriu over two pipes and passes its answer on.
 *
 * Script and pipes are reached through /proc/PID/fd of recriu: there is no path that anybody else could guess or open,
 * and when recriu is dead the paths are gone, so the script fails instead of waiting. It is a program of its own, as CRIU
 * starts it up to seven times.
 */
import { closeSync, readSync, writeSync } from "node:fs";
import { answerBytes, askingProgram, type Hold } from "../sys/asking-program.ts";
import { memoryFile, pipe } from "../sys/files.ts";

/** CRIU has started, and made nothing yet. */
export const PRE_RESTORE = "pre-restore";
/** Every task exists, nothing has run, the network is locked; a refusal makes CRIU kill the tree. */
export const POST_RESTORE = "post-restore";
/** Everything is final and stopped; CRIU ignores a refusal. */
export const PRE_RESUME = "pre-resume";
/** The tree runs; CRIU ignores a refusal. */
export const POST_RESUME = "post-resume";

/** What CRIU asks at one of its points. */
export interface Question {
  readonly point: string;
  /** The root task's pid on this machine; NaN before there is one. */
  readonly root: number;
  /** The process that asks; NaN where it does not say. */
  readonly criu: number;
  /** Let it go on at once: what is done then is done while it works, and the answer is given. Undefined: it waits. */
  readonly goOn: (() => void) | undefined;
}

/** Whether CRIU goes on. A process group that is to stay connected is a yes, too. */
export type Decide = (question: Question) => boolean | Hold;

/** Closed, it refuses: the script has no reader, and fails. */
export interface Gate extends Disposable {
  /** The path to give CRIU as --action-script. */
  readonly script: string;
  /** Answer every question until the gate is closed. Rejects when a decision throws, which is a refusal. */
  serve(decide: Decide): Promise<void>;
  /** Its descriptors that CRIU opens: the script, what it asks by, and where it is answered. */
  readonly shown: readonly [script: number, ask: number, answer: number];
  /** Where questions can be read: for a caller that waits itself and calls `answer` for each. */
  readonly questions: number;
  /** Answer the question that is there. Throws what the decision throws, which is a refusal. */
  answer(decide: Decide): void;
}

type GateResult = { ok: true; gate: Gate } | { ok: false; problem: string };

/** `seen`: the path by which CRIU reaches the nth of `shown`, where that is not as recriu's descriptor. */
export function openGate(seen?: (nth: number) => string): GateResult {
  using opening = new DisposableStack();
  const opened = (fd: number) => opening.adopt(fd, closeSync);
  const [toAsk, toAnswer] = [pipe(), pipe()].map((ends) =>
    typeof ends === "number" ? undefined : { read: opened(ends[0]), write: opened(ends[1]) },
  );
  if (toAsk === undefined || toAnswer === undefined)
    return { ok: false, problem: "no pipe can be made" };
  const script = memoryFile("recriu-gate");
  if (script < 0) return { ok: false, problem: "no file in memory can be made (vm.memfd_noexec?)" };
  const shown = [opened(script), toAsk.write, toAnswer.read] as const;
  const path = seen ?? ((nth: number) => `/proc/${process.pid}/fd/${shown[nth]}`);
  try {
    writeSync(script, askingProgram(path(1), path(2)));
  } catch (error) {
    return {
      ok: false,
      problem: `its file in memory cannot be written: ${(error as Error).message}`,
    };
  }
  let asked = "";
  const hear = (chunk: Uint8Array, decide: Decide) => {
    asked += Buffer.from(chunk).toString("latin1");
    if (!asked.endsWith("\n")) return;
    const question = asked;
    asked = "";
    reply(question, toAnswer.write, decide);
  };
  const open = opening.move();
  return {
    ok: true,
    gate: {
      script: path(0),
      shown,
      async serve(decide) {
        for await (const chunk of Bun.file(toAsk.read).stream()) hear(chunk, decide);
      },
      questions: toAsk.read,
      answer(decide) {
        const space = Buffer.alloc(4096);
        hear(space.subarray(0, readSync(toAsk.read, space)), decide);
      },
      [Symbol.dispose]: () => open.dispose(),
    },
  };
}

/** CRIU asks once at a time, with its CRTOOLS_ variables, each ended by a NUL, and a newline. */
function reply(question: string, answers: number, decide: Decide): void {
  // They come backwards: of two of one name getenv(3) takes what is here the last.
  const variables = question.split("\0");
  const told = (name: string) =>
    variables
      .findLast((each) => each.startsWith(`CRTOOLS_${name}=`))
      ?.slice(`CRTOOLS_${name}=`.length);
  let answered = false;
  const give = (go: boolean | Hold) => {
    if (!answered) writeSync(answers, answerBytes(go));
    answered = true;
  };
  let go: boolean | Hold = false;
  try {
    go = decide({
      point: told("SCRIPT_ACTION") ?? "",
      root: Number(told("INIT_PID")),
      // CRIU tells of its images through its own descriptor: /proc/PID/fd/N.
      criu: Number(/^\/proc\/(\d+)\//.exec(told("IMAGE_DIR") ?? "")?.[1]),
      goOn: () => give(true),
    });
  } finally {
    give(go);
  }
}
