/** Timers of timerfd_create(2) that CRIU arms otherwise than they were (timerfd.c, pie/restorer.c). */
import { knows } from "../../criu/index.ts";
import { filesWith, hasExpired, type TimerfdEntry } from "../../image/index.ts";
import { file_entry } from "../../image/tables/files.ts";
import { TFD_TIMER_ABSTIME } from "../../sys/linux.ts";
import type { Check, Edit, Problem } from "../finding.ts";

/** What CRIU is shown instead, by the fields of files.img that differ; nothing where it does right. */
function rightly(saved: TimerfdEntry): Partial<TimerfdEntry> {
  const { vsec, vnsec, isec, insec, settime_flags } = saved;
  if (vsec !== 0n || vnsec !== 0n) return {};
  // The tick that waits is restored by itself; the next comes a period later.
  const value = hasExpired(saved) ? { vsec: isec, vnsec: insec } : undefined;
  // CRIU adds the time of now to an absolute value, and 0 becomes a time that is over.
  const absolute = (settime_flags & TFD_TIMER_ABSTIME) !== 0;
  return value ?? (absolute ? { settime_flags: settime_flags & ~TFD_TIMER_ABSTIME } : {});
}

export const timerfdExpired: Check = {
  title: "A timer would never fire again, or fire once more",
  reads: "timerfd entries in files.img; the version of CRIU",
  why:
    "Of a periodic timer that has expired and was not read yet, the kernel shows no time left. CRIU before 4.3 sets the timer to just " +
    "that, which disarms it: a program that waits for it waits for ever. The faster the timer, the likelier the dump finds it so. A " +
    "timer that was set to an absolute time (TFD_TIMER_ABSTIME) that is over, or that is disarmed, is given a time in the past: it " +
    "fires once more. recriu shows CRIU the period as the time that is left, or the timer without that flag. Expirations that were not " +
    "read come back either way.",
  proof: "harm",
  answers: ["edit"],
  run({ checkpoint, criu }) {
    if (knows(criu?.version, "timersKept", false) || filesWith(checkpoint, "tfd").length === 0)
      return [];
    const holders = new Map<number, { task: number; fd: number }>();
    for (const { pid, fds } of checkpoint.tasks)
      for (const { id, fd } of fds) if (!holders.has(id)) holders.set(id, { task: pid, fd });
    return checkpoint
      .values("files.img", file_entry)
      .values()
      .flatMap(({ id, tfd }, entry): Problem[] => {
        if (tfd === undefined) return [];
        const fields = Object.entries(rightly(tfd)) as [keyof TimerfdEntry, bigint | number][];
        const holder = holders.get(id);
        if (fields.length === 0 || holder === undefined) return [];
        const { task, fd } = holder;
        const dead = hasExpired(tfd);
        const why = dead ? "the timer has a period" : "the timer is not armed";
        const edits = fields.map(([field, to]): Edit => {
          const from = String(tfd[field]);
          return {
            file: "files.img",
            entry,
            field: `tfd.${field}`,
            from,
            to: Number(to),
            why,
          };
        });
        return [
          {
            severity: "blocker",
            task,
            image: `files.img id 0x${id.toString(16)}`,
            subject: `descriptor ${fd}`,
            message: dead
              ? `the timer at descriptor ${fd} of task ${task} had expired when it was saved: CRIU would disarm it, and its period would never begin again`
              : `the timer at descriptor ${fd} of task ${task} was not armed: CRIU would let it fire`,
            remedy: {
              kind: "edit",
              text: dead ? "let its next period begin" : "leave it disarmed",
              edits: edits.filter(({ from, to }) => from !== String(to)),
            },
          },
        ];
      });
  },
};
