/** What the images have of a timer's state (timerfd_create(2)). */
import type { Infer } from "./schema.ts";
import type { timerfd_entry } from "./tables/files.ts";

export type TimerfdEntry = Infer<typeof timerfd_entry>;

/**
 * A timer with a period that had expired when it was frozen, and was not read yet: the kernel starts its next period
 * only then, and showed no time left. Without a tick it was not armed at all.
 */
export const hasExpired = ({ vsec, vnsec, isec, insec, ticks }: TimerfdEntry): boolean =>
  vsec === 0n && vnsec === 0n && (isec > 0n || insec > 0n) && ticks > 0n;
