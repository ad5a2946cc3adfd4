/** The flow itself: preflight, repair, CRIU held at its gate, verdict; and everything taken back when it fails. */
import { constants } from "node:os";
import { errorLines, type Exit, firstCause, requestFrom, startCriu } from "../criu/index.ts";
import { explain } from "../explain/index.ts";
import { childrenOf } from "../host/processes.ts";
import type { Preflight } from "../plan/preflight.ts";
import { carryOut } from "../repair/index.ts";
import type { ProgressReport } from "../report/progress.ts";
import { exitCode, type Outcome, type Run } from "../report/outcome.ts";
import { skipped, type Verdict, verify } from "../verify/index.ts";
import { becomeSubreaper } from "../sys/process.ts";
import { mend } from "./mend.ts";
import { openGate, POST_RESTORE, PRE_RESUME } from "./gate.ts";
import { givenLimits } from "./limits.ts";
import { watch } from "./progress.ts";
import { gone, killTree } from "./tree.ts";

/** Carry out a plan that is not blocked. `onVerdict` hears the verdict as soon as the tree may run. */
export async function restore(
  { request, own, checkpoint, criu, plan }: Preflight,
  onVerdict: (verdict: Verdict) => void,
  progress: ProgressReport | undefined,
): Promise<Outcome> {
  const timing_ms = { repair: 0, criu: 0, verify: 0 };
  const begun = performance.now();
  const repair = carryOut(plan, checkpoint.dir);
  timing_ms.repair = performance.now() - begun;
  if (!repair.ok) {
    return {
      exit: exitCode.blocked,
      run: null,
      verdict: null,
      failure: { line: repair.problem, explanation: undefined, left: repair.left },
      timing_ms,
    };
  }

  const opened = own.verify === "off" ? undefined : openGate();
  if (opened?.ok === false) {
    return {
      exit: exitCode.criuFailed,
      run: null,
      verdict: null,
      failure: {
        line: `the gate cannot be opened: ${opened.problem}; --verify=off restores without it`,
        explanation: undefined,
        left: repair.repaired.undo(),
      },
      timing_ms,
    };
  }

  // What the plan adds changes what is to be expected, as the user's own words do.
  const asked = requestFrom([...plan.options, ...request.argv], process.env);
  const effective = asked.ok ? asked.request : request;
  let verdict: Verdict = skipped;
  let rootPid: number | null = null;
  let resumed = false;
  let interrupted: NodeJS.Signals | undefined;
  let overdue = false;
  /** At the gate. True lets CRIU go on. */
  const decide = (point: string, pid: number): boolean => {
    const start = performance.now();
    rootPid = pid;
    const final = point === POST_RESTORE ? "structure" : "state";
    try {
      const mended = point === PRE_RESUME ? mend(checkpoint, pid) : [];
      verdict = verify(checkpoint, effective, pid, { final, stopped: true });
      verdict.differences.unshift(...mended);
    } catch (error) {
      verdict = unfinished(error); // a tree that could not be looked at must not run
    }
    timing_ms.verify += performance.now() - start;
    const refused = verdict.result === "mismatch" && own.verify === "gate";
    if (refused && point === PRE_RESUME) killTree(pid);
    if (point === PRE_RESUME && !refused) {
      resumed = true;
      onVerdict(verdict);
    }
    return !refused;
  };

  const gate = opened?.gate;
  gate?.serve(decide);
  const started = performance.now();
  // What CRIU leaves when it dies half-way comes to us as our child, in whatever namespace it is.
  becomeSubreaper();
  const child = startCriu({
    path: criu!.path,
    request,
    options: [...plan.options, ...(gate === undefined ? [] : ["--action-script", gate.script])],
    stdout: own.json ? "stderr" : "inherit",
    ...givenLimits(),
  });
  // CRIU can hang: on a lock that somebody holds, on images that end early.
  const limit = request.timeout
    ? setTimeout(() => {
        if (resumed || gate === undefined) return;
        overdue = true;
        child.kill("SIGKILL");
      }, request.timeout * 1000)
    : undefined;
  const stopWatching =
    progress &&
    watch(
      checkpoint,
      child.pid,
      {
        after: progress.after,
        gate: () => (resumed ? "resumed" : rootPid ? "verifying" : "closed"),
      },
      progress.tell,
    );
  const stopForwarding = forwardSignals((signal) => {
    interrupted = signal;
    // CRIU does not heed these signals while it builds a tree. Once the tree runs, its own behaviour counts.
    child.kill(resumed || gate === undefined ? signal : "SIGKILL");
  });
  const exit = await child.exited;
  stopForwarding();
  clearTimeout(limit);
  stopWatching?.();
  progress?.end();
  gate?.close();
  // Before the tree runs, a restore that did not end well leaves nothing; after, CRIU's own behaviour counts.
  if (exit.code !== 0 && !resumed) await gone(childrenOf(process.pid).flatMap(killTree));
  timing_ms.criu = performance.now() - started - timing_ms.verify;

  const refused = verdict.result === "mismatch";
  const run: Run = {
    criu_exit: exit.code,
    duration_ms: performance.now() - started,
    pid: exit.code === 0 ? rootPid : null,
  };
  if (exit.code === 0 || resumed) {
    repair.repaired.keep();
    return {
      exit: refused ? exitCode.verification : exit.code,
      run,
      verdict,
      failure: null,
      timing_ms,
    };
  }
  const left = repair.repaired.undo();
  if (refused)
    return {
      exit: exitCode.verification,
      run,
      verdict,
      failure: { line: "the restored tree is not the saved one", explanation: undefined, left },
      timing_ms,
    };
  const line = interrupted
    ? `interrupted by ${interrupted}`
    : overdue
      ? `CRIU was killed: after ${request.timeout} s the tree did not run yet (--timeout)`
      : (firstCause(errorLines(await child.log())) ?? ending(exit));
  return {
    exit: interrupted ? 128 + constants.signals[interrupted] : exit.code,
    run,
    verdict: null,
    failure: { line, explanation: explain(line), left },
    timing_ms,
  };
}

/** The verdict of a comparison that failed itself. */
function unfinished(error: unknown): Verdict {
  const found = error instanceof Error ? error.message : String(error);
  const difference = { facet: "verification", task: null, expected: "an end", found } as const;
  return { result: "mismatch", compared: 0, differences: [{ ...difference, class: "fatal" }] };
}

const ending = ({ code, signal }: Exit): string =>
  signal === null
    ? `CRIU exited with ${code} and named no error`
    : `CRIU was ended by ${signal} and named no error`;

/** Pass on the signals that end a program; returns a function that stops it. */
function forwardSignals(forward: (signal: NodeJS.Signals) => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.removeListener(signal, forward);
  };
}
