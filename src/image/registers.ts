/** Of a thread's registers, those that lead to its memory (images/core-x86.proto). */
import { message, optional } from "./schema.ts";
import type { CoreEntry } from "./types.ts";
import { decode } from "./wire.ts";

const user_x86_regs_entry = message("user_x86_regs_entry", {
  sp: optional(20, "uint64"),
  fs_base: optional(22, "uint64"),
  mode: optional(28, "enum"),
});
const thread_info_x86 = message("thread_info_x86", { gpregs: optional(2, user_x86_regs_entry) });
const COMPAT = 2;

/** Addresses; `thread` is the thread pointer, 0 where there is none. Undefined for other processors. */
export function registersOf(
  core: CoreEntry | undefined,
): { stack: bigint; thread: bigint } | undefined {
  if (core?.thread_info === undefined) return undefined;
  const info = decode(thread_info_x86, core.thread_info);
  const gpregs = info.ok ? info.value.gpregs : undefined;
  if (gpregs === undefined) return undefined;
  const { sp = 0n, fs_base = 0n, mode } = gpregs;
  return { stack: sp, thread: mode === COMPAT ? 0n : fs_base };
}
