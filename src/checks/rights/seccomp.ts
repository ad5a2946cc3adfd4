/** Seccomp filters: complete in the images, and possible on this kernel (seccomp.c). */
import type { CoreEntry } from "../../image/index.ts";
import type { Context } from "../finding.ts";
import { livingTasks } from "../paths.ts";

export const MODE_FILTER = 2;

/** Mode and last filter of a thread; old images have one for the whole task. */
export function seccompOf(core: CoreEntry | undefined, leader: CoreEntry | undefined) {
  const old = leader?.tc;
  const mode = core?.thread_core?.seccomp_mode ?? old?.old_seccomp_mode ?? 0;
  return { mode, filter: core?.thread_core?.seccomp_filter ?? old?.old_seccomp_filter ?? 0 };
}

/** Every living thread with filters. */
export function filtered({ checkpoint }: Context): { task: number; tid: number; filter: number }[] {
  return livingTasks(checkpoint).flatMap((task) =>
    task.threads.flatMap(({ tid, core }) => {
      const { mode, filter } = seccompOf(core, task.core);
      return mode === MODE_FILTER ? [{ task: task.pid, tid, filter }] : [];
    }),
  );
}
