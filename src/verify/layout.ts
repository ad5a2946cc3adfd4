/** Where a program's parts are in its memory, its arguments and environment among them (prctl(2), PR_SET_MM_MAP). */
import type { MmEntry } from "../image/index.ts";
import type { Facet } from "./facet.ts";

/** Fields of /proc/PID/stat, counted from 1 as proc_pid_stat(5) does. */
const fields = [
  [26, "mm_start_code"],
  [27, "mm_end_code"],
  [28, "mm_start_stack"],
  [45, "mm_start_data"],
  [46, "mm_end_data"],
  [47, "mm_start_brk"],
  [48, "mm_arg_start"],
  [49, "mm_arg_end"],
  [50, "mm_env_start"],
  [51, "mm_env_end"],
] as const satisfies [number, keyof MmEntry][];

export const layout: Facet = {
  id: "layout",
  final: "state",
  moving: true,
  compare({ checkpoint, live }, { same }) {
    for (const { task, stat } of live.tasks.values()) {
      if (task.mm === undefined) continue;
      // They change by execve(2) only: then the root is another program, as is whoever got its number later.
      const fixed = (name: string) =>
        task === checkpoint.root && (name === "mm_start_code" || name === "mm_start_stack");
      // The second field, the name, may hold blanks: it ends at the last parenthesis.
      const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      for (const { field, name, decimal, shown } of savedLayout(task.mm)) {
        const now = words[field - 3];
        const found = now === decimal ? shown : now && hex(BigInt(now));
        same(task.pid, name, shown, found, fixed(name) ? "fatal" : undefined);
      }
    }
  },
};

interface Part {
  field: number;
  name: string;
  decimal: string;
  shown: string;
}

/** Of forked tasks they are the same. */
const cache = new WeakMap<MmEntry, readonly Part[]>();

function savedLayout(mm: MmEntry): readonly Part[] {
  let parts = cache.get(mm);
  if (parts === undefined) {
    parts = fields.map(([field, name]) => {
      const value = mm[name];
      return { field, name, decimal: String(value), shown: hex(value) };
    });
    cache.set(mm, parts);
  }
  return parts;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
