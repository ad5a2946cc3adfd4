/**
 * Where recriu holds CRIU. CRIU runs an action script at fixed points of a restore and waits for it (criu(8),
 * --action-script); ours asks recriu over two pipes and passes its answer on.
 *
 * Script and pipes are reached through /proc/PID/fd of recriu: there is no path that anybody else could guess or open,
 * and when recriu is dead the paths are gone, so the script fails instead of waiting. It is a shell script because
 * CRIU starts it seven times, and sh starts in a millisecond.
 */
import { closeSync, readSync, writeSync } from "node:fs";
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

/** `criu`: the process that asks. */
export type Decide = (point: string, rootPid: number, criu: number) => boolean;

export type GateResult = { ok: true; gate: Gate } | { ok: false; problem: string };

/** Open the gate at these of CRIU's points. */
export function openGate(points: readonly string[] = [POST_RESTORE, PRE_RESUME]): GateResult {
  const questions = pipe();
  const answers = pipe();
  if (typeof questions === "number" || typeof answers === "number")
    return { ok: false, problem: "no pipe can be made" };
  const own = `/proc/${process.pid}/fd`;
  const script = memoryFile("recriu-gate");
  if (script < 0) return { ok: false, problem: "no file in memory can be made (vm.memfd_noexec?)" };
  writeSync(
    script,
    `#!/bin/sh
case $CRTOOLS_SCRIPT_ACTION in ${points.join("|")}) ;; *) exit 0 ;; esac
exec 8>${own}/${questions[1]} 9<${own}/${answers[0]} || exit 1
echo "$CRTOOLS_SCRIPT_ACTION $CRTOOLS_INIT_PID $PPID" >&8 || exit 1
read -r answer <&9 && [ "$answer" = go ]
`,
  );
  return {
    ok: true,
    gate: {
      script: `${own}/${script}`,
      async serve(decide) {
        for await (const chunk of Bun.file(questions[0]).stream()) reply(chunk, answers[1], decide);
      },
      questions: questions[0],
      answer(decide) {
        const space = Buffer.alloc(256);
        reply(space.subarray(0, readSync(questions[0], space)), answers[1], decide);
      },
      close() {
        for (const fd of [...questions, ...answers, script]) closeSync(fd);
      },
    },
  };
}

/** One line a question; CRIU asks one at a time. A decision that throws is a refusal. */
function reply(question: Uint8Array, answers: number, decide: Decide): void {
  const [point, pid, criu] = new TextDecoder().decode(question).trim().split(" ");
  let go = false;
  try {
    go = decide(point ?? "", Number(pid), Number(criu));
  } finally {
    writeSync(answers, go ? "go\n" : "no\n");
  }
}
