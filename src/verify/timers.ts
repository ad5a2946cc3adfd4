/** POSIX timers: that each is there under its number, with its clock and signal (timer_create(2)). */
import type { Facet } from "./facet.ts";

export const timers: Facet = {
  id: "timers",
  final: "state",
  moving: true,
  compare({ live }, { same, leftOut }) {
    for (const { task, proc } of live.tasks.values()) {
      const saved = task.core?.tc?.timers?.posix ?? [];
      if (saved.length === 0 || task.state === "dead") continue;
      const text = proc.read("timers");
      if (text === undefined) {
        leftOut("timers, of which this kernel does not tell", saved.length);
        continue;
      }
      const found = new Map(text.split(/^(?=ID:)/m).map((block) => [number(block, "ID"), block]));
      for (const { it_id, clock_id, si_signo } of saved) {
        const block = found.get(it_id);
        const now = block && `clock ${number(block, "ClockID")}, signal ${number(block, "signal")}`;
        same(task.pid, `timer ${it_id}`, `clock ${clock_id}, signal ${si_signo}`, now);
      }
    }
  },
};

const number = (block: string, name: string): number =>
  Number(new RegExp(`^${name}: (-?\\d+)`, "m").exec(block)?.[1]);
