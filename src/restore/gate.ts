/**
 * Where recriu holds CRIU. CRIU runs an action script at fixed points of a restore and waits for it (criu(8),
 * --action-script); ours asks recriu over two pipes and passes its answer on.
 *
 * Script and pipes are reached through /proc/PID/fd of recriu: there is no path that anybody else could guess or open,
 * and when recriu is dead the paths are gone, so the script fails instead of waiting. It is a program of its own, as CRIU
 * starts it up to seven times.
 */
import { closeSync, readSync, writeSync } from "node:fs";
import type { Request } from "../criu/index.ts";
import { answerBytes, askingProgram, type Hold } from "../sys/asking-program.ts";
import { memoryFile, pipe } from "../sys/files.ts";

/** Every task exists, nothing has run, the network is locked; a refusal makes CRIU kill the tree. */
export const POST_RESTORE = "post-restore";
/** Everything is final and stopped; CRIU ignores a refusal. */
export const PRE_RESUME = "pre-resume";
/** The tree runs; CRIU ignores a refusal. */
export const POST_RESUME = "post-resume";

export interface Gate {
  /** The path to give CRIU as --action-script. */
  readonly script: string;
  /** Answer every question until `close`. `decide` gets the point and the root task's pid on this machine. */
  serve(decide: Decide): void;
  /** Where questions can be read: for who waits by itself and calls `answer` for each. */
  readonly questions: number;
  /** Answer the question that is there. */
  answer(decide: Decide): void;
  close(): void;
}

/**
 * `criu`: the process that asks. `goOn` lets it go on at once: what is done then is done while it works, and the answer
 * is given. A process group that is to stay connected is a yes, too.
 */
type Decide = (point: string, rootPid: number, criu: number, goOn: () => void) => boolean | Hold;

/** The points that recriu has to be asked at. */
export const pointsFor = ({ autoDedup }: Request): string[] =>
  autoDedup ? [POST_RESTORE, PRE_RESUME, POST_RESUME] : [POST_RESTORE, PRE_RESUME];

type GateResult = { ok: true; gate: Gate } | { ok: false; problem: string };

/** Open the gate at these of CRIU's points; at all others it goes on. */
export function openGate(points: readonly string[]): GateResult {
  const questions = pipe();
  const answers = pipe();
  if (typeof questions === "number" || typeof answers === "number")
    return { ok: false, problem: "no pipe can be made" };
  const own = `/proc/${process.pid}/fd`;
  const program = askingProgram(`${own}/${questions[1]}`, `${own}/${answers[0]}`);
  if (program === undefined) return { ok: false, problem: `nothing asks on ${process.arch}` };
  const script = memoryFile("recriu-gate");
  if (script < 0) return { ok: false, problem: "no file in memory can be made (vm.memfd_noexec?)" };
  writeSync(script, program);
  let asked = "";
  const hear = (chunk: Uint8Array, decide: Decide) => {
    asked += Buffer.from(chunk).toString("latin1");
    if (!asked.endsWith("\n")) return;
    const question = asked;
    asked = "";
    reply(question, points, answers[1], decide);
  };
  return {
    ok: true,
    gate: {
      script: `${own}/${script}`,
      async serve(decide) {
        for await (const chunk of Bun.file(questions[0]).stream()) hear(chunk, decide);
      },
      questions: questions[0],
      answer(decide) {
        const space = Buffer.alloc(4096);
        hear(space.subarray(0, readSync(questions[0], space)), decide);
      },
      close() {
        for (const fd of [...questions, ...answers, script]) closeSync(fd);
      },
    },
  };
}

/** CRIU asks once at a time, with its CRTOOLS_ variables. A decision that throws is a refusal. */
function reply(question: string, points: readonly string[], answers: number, decide: Decide): void {
  const told = (name: string) => new RegExp(`(?:^|\0)CRTOOLS_${name}=([^\0]*)`).exec(question)?.[1];
  const point = told("SCRIPT_ACTION") ?? "";
  let answered = false;
  const give = (go: boolean | Hold) => {
    if (!answered) writeSync(answers, answerBytes(go));
    answered = true;
  };
  let go: boolean | Hold = false;
  try {
    // CRIU tells of its images through its own descriptor: /proc/PID/fd/N.
    const criu = Number(/^\/proc\/(\d+)\//.exec(told("IMAGE_DIR") ?? "")?.[1]);
    const root = Number(told("INIT_PID"));
    go = !points.includes(point) || decide(point, root, criu, () => give(true));
  } finally {
    give(go);
  }
}
