/** Timers of timerfd_create(2). They tick from before post-restore on: later is not less. */
import { hasExpired } from "../../image/index.ts";
import { borrow } from "../../sys/descriptors.ts";
import { TFD_TIMER_ABSTIME } from "../../sys/linux.ts";
import { timerLeft } from "../../sys/open-files.ts";
import type { Compare } from "./file.ts";

const SECOND = 1_000_000_000n;
const IDLE = "not armed";

/** `(SECONDS, NANOSECONDS)` of fdinfo. */
function span(text: string | undefined): bigint | undefined {
  const [, seconds, nanoseconds] = /^\((\d+), (\d+)\)$/.exec(text ?? "") ?? [];
  return seconds === undefined ? undefined : BigInt(seconds) * SECOND + BigInt(nanoseconds!);
}

export const timerfd: Compare<"tfd"> = (saved, file) => {
  const { clockid, settime_flags, ticks } = saved;
  const interval = saved.isec * SECOND + saved.insec;
  const value = saved.vsec * SECOND + saved.vnsec;
  file.same("timerfd clock", clockid, file.field("clockid"));
  if (!file.subject.live.stopped) return file.leftOut("timers, as the tree runs");
  const flags = file.field("settime flags");
  // One that is not armed is given back without the flag where CRIU would let it fire with it (timerfd-expired).
  const kept = value === 0n ? ~TFD_TIMER_ABSTIME : -1;
  const shown = flags === undefined ? flags : Number.parseInt(flags, 8) & kept;
  file.same("timerfd flags", settime_flags & kept, shown);
  file.same("timerfd interval", interval, span(file.field("it_interval")));

  const left = span(file.field("it_value"));
  const now = file.field("ticks");
  if (left === undefined || now === undefined) return file.same("timerfd ticks", ticks, undefined);
  const ticked = BigInt(now) > ticks;
  if (!ticked) file.same("timerfd ticks", ticks, now);
  const armed = value > 0n || hasExpired(saved);
  if (!armed) return file.same("timerfd", IDLE, left > 0n || ticked ? "armed" : IDLE);
  // It must not come later than it would have.
  const latest = value > 0n ? value : interval;
  if (left > 0n || (interval === 0n && ticked))
    return file.same(
      "timerfd",
      "armed in time",
      left > latest ? `armed, ${left} ns left` : "armed in time",
    );
  // With a period, one that has expired shows 0 as one that is not armed does: asked for its time it goes on.
  const asked = borrow(file.pid, file.fd, timerLeft);
  if (asked === undefined) return file.leftOut("timers that the kernel does not tell of");
  file.same("timerfd", "armed in time", asked > 0n ? "armed in time" : IDLE);
};
