/** Signals: what is blocked per thread, what is ignored and caught per process (signal(7)). */
import type { CoreEntry } from "../image/index.ts";
import type { Facet } from "./facet.ts";

const SIG_DFL = 0n;
const SIG_IGN = 1n;
const SIGKILL = 9;
const SIGSTOP = 19;

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
      const pending = pendingOf(task.core?.tc?.signals_s);
      if (pending !== undefined) {
        // More may have come meanwhile: CRIU stops tasks by SIGSTOP, a lease that it sets again may break.
        const found = BigInt(`0x${status().get("ShdPnd") ?? "0"}`);
        same(task.pid, "pending signals", hex(pending), hex(found & pending));
      }
      for (const { tid, core } of task.threads) {
        const now = threads.get(tid);
        const blocked = core?.thread_core?.blk_sigset ?? core?.tc?.blk_sigset;
        if (blocked === undefined || now === undefined) continue;
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

/** One action a signal from 1 on, but for SIGKILL and SIGSTOP, which have none. */
function dispositionsOf(
  core: CoreEntry | undefined,
): { ignored: bigint; caught: bigint } | undefined {
  const actions = core?.tc?.sigactions ?? [];
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

type Queue = NonNullable<CoreEntry["tc"]>["signals_s"];

/** A siginfo_t begins with the signal's number (sigaction(2)). */
function pendingOf(queue: Queue): bigint | undefined {
  return queue?.signals.reduce(
    (set, { siginfo }) => set | (1n << BigInt((siginfo[0] ?? 1) - 1)),
    0n,
  );
}

const hex = (set: bigint): string => `0x${set.toString(16)}`;
const bits = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : hex(BigInt(`0x${text}`));
