/** Signals: what is blocked and waits per thread, what is ignored, caught and waits per process (signal(7)). */
import { constants } from "node:os";
import type { CoreEntry } from "../image/index.ts";
import type { Facet } from "./facet.ts";

const SIG_DFL = 0n;
const SIG_IGN = 1n;
const { SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals;
const { SIGCHLD, SIGALRM, SIGVTALRM, SIGPROF } = constants.signals;
/** What comes by itself meanwhile: CRIU stops tasks, a zombie ends anew, timers run on. */
const COME = maskOf([SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD, SIGALRM, SIGVTALRM, SIGPROF]);

export const signals: Facet = {
  id: "signals",
  final: "state",
  moving: true,
  compare({ live }, { same }) {
    for (const { task, threads, status } of live.tasks.values()) {
      if (task.state === "dead") continue;
      const dispositions = dispositionsOf(task.core);
      if (dispositions !== undefined) {
        const { ignored, caught } = dispositions;
        same(task.pid, "ignored signals", hex(ignored), bits(status().get("SigIgn")));
        same(task.pid, "caught signals", hex(caught), bits(status().get("SigCgt")));
      }
      const come = COME | maskOf(task.core?.tc?.timers?.posix.map(({ si_signo }) => si_signo));
      const pending = (what: string, queue: Queue, text: string | undefined) => {
        if (queue === undefined) return;
        const saved = maskOf(queue.signals.map(({ siginfo }) => siginfo[0] ?? 0));
        const found = BigInt(`0x${text ?? "0"}`);
        same(task.pid, what, hex(saved), hex(found & saved));
        // They cannot be taken back: as of a lease that CRIU breaks anew, the program is told twice.
        const more = namesOf(found & ~saved & ~come);
        const grade = live.stopped ? "tolerated" : "changed";
        same(task.pid, `${what} that were not saved`, "none", more, grade);
      };
      pending("pending signals", task.core?.tc?.signals_s, status().get("ShdPnd"));
      for (const { tid, core } of task.threads) {
        const now = threads.get(tid);
        if (now === undefined) continue;
        const ofThread = `pending signals of thread ${tid}`;
        pending(ofThread, core?.thread_core?.signals_p, status(now).get("SigPnd"));
        const blocked = core?.thread_core?.blk_sigset ?? core?.tc?.blk_sigset;
        if (blocked === undefined) continue;
        same(
          task.pid,
          `blocked signals of thread ${tid}`,
          hex(blocked),
          bits(status(now).get("SigBlk")),
        );
      }
    }
  },
};

interface Dispositions {
  ignored: bigint;
  caught: bigint;
}

/** By the saved part of a task that has them; of forked tasks it is the same. */
const known = new WeakMap<object, Dispositions | undefined>();

function dispositionsOf(core: CoreEntry | undefined): Dispositions | undefined {
  const actions = core?.tc?.sigactions;
  if (actions === undefined) return undefined;
  if (!known.has(actions)) known.set(actions, told(actions));
  return known.get(actions);
}

/** One action a signal from 1 on, but for SIGKILL and SIGSTOP, which have none. */
function told(actions: NonNullable<CoreEntry["tc"]>["sigactions"]): Dispositions | undefined {
  if (actions.length === 0) return undefined;
  let ignored = 0n;
  let caught = 0n;
  let signal = 0;
  for (const { sigaction } of actions) {
    do signal += 1;
    while (signal === SIGKILL || signal === SIGSTOP);
    const bit = 1n << BigInt(signal - 1);
    if (sigaction === SIG_IGN) ignored |= bit;
    else if (sigaction !== SIG_DFL) caught |= bit;
  }
  return { ignored, caught };
}

/** Pending signals; a siginfo_t begins with the signal's number (sigaction(2)). */
type Queue = NonNullable<CoreEntry["tc"]>["signals_s"];

function maskOf(numbers: readonly number[] = []): bigint {
  return numbers.reduce((set, signal) => (signal > 0 ? set | (1n << BigInt(signal - 1)) : set), 0n);
}

function namesOf(set: bigint): string {
  if (set === 0n) return "none";
  const numbers = Array.from({ length: 64 }, (_, bit) => bit + 1);
  const there = numbers.filter((number) => set & maskOf([number]));
  const named = Object.entries(constants.signals);
  const nameOf = (number: number) => named.find(([, each]) => each === number)?.[0] ?? `${number}`;
  return there.map(nameOf).join(" ");
}

const hex = (set: bigint): string => `0x${set.toString(16)}`;
const bits = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : hex(BigInt(`0x${text}`));
