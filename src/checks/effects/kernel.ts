/** What outlives or reaches beyond the tree inside the kernel: policies, watches, locks (apparmor.c, fsnotify.c, file-lock.c). */
import { type Infer, oncePer, type Task } from "../../image/index.ts";
import { apparmor_entry } from "../../image/tables/namespaces.ts";
import type { Context } from "../finding.ts";
import { effect, type Effect, imageOf, landing } from "./effect.ts";
import { isOutside } from "./policy.ts";

/** FAN_OPEN_PERM, FAN_ACCESS_PERM, FAN_OPEN_EXEC_PERM: the kernel waits for an answer, fanotify_mark(2). */
const PERMISSION = 0x10000 | 0x20000 | 0x40000;

export function* kernelEffects(context: Context): Iterable<Effect> {
  yield* policies(context);
  yield* watches(context);
  yield* locks(context);
}

function policies({ checkpoint }: Context): Effect[] {
  const walk = (namespaces: readonly any[], above: string): Effect[] =>
    namespaces.flatMap(({ name, policies: profiles, namespaces: below }) => [
      ...profiles.map((profile: { name: string; blob: Uint8Array }) =>
        effect({
          verb: "load",
          what: "AppArmor profile",
          name: `${above}${name}//${profile.name}`,
          detail: `${profile.blob.length} bytes of policy for the kernel`,
          image: "apparmor.img",
          check: "untrusted-kernel",
        }),
      ),
      ...walk(below, `${above}${name}//`),
    ]);
  const values: readonly Infer<typeof apparmor_entry>[] = checkpoint.files.has("apparmor.img")
    ? checkpoint.values("apparmor.img", apparmor_entry)
    : [];
  return values.flatMap(({ namespaces }) => walk(namespaces, ""));
}

function watches(context: Context): Iterable<Effect> {
  return context.checkpoint.openFiles.values().flatMap(({ id, ify, ffy }): Effect[] => {
    const image = imageOf(id);
    const note = (what: string, name: string | undefined, mask: number, mntId?: number) => {
      const land = name === undefined ? undefined : landing(context, name, mntId);
      const holds = (mask & PERMISSION) !== 0 && what !== "inotify";
      return effect({
        verb: "watch",
        what,
        path: land?.path ?? null,
        name: name ?? "a file that the images know by its handle",
        detail: holds
          ? `mask 0x${mask.toString(16)}: a program that opens it waits until the tree allows it`
          : `mask 0x${mask.toString(16)}`,
        image,
        when: "running",
        check: holds && (land === undefined || isOutside(context, land)) ? "untrusted-watch" : null,
      });
    };
    return [
      ...(ify?.wd ?? []).map(({ f_handle: { path, mnt_id }, mask }) =>
        note("inotify", path, mask, mnt_id),
      ),
      ...(ffy?.mark ?? []).map(({ ie, me, mask, mflags }) =>
        me === undefined
          ? note("fanotify", ie?.f_handle.path, mask, ie?.f_handle.mnt_id)
          : note(
              `fanotify, all of the mount (flags 0x${mflags.toString(16)})`,
              me.path ?? "/",
              mask,
              me.mnt_id,
            ),
      ),
    ];
  });
}

function locks(context: Context): Iterable<Effect> {
  const { checkpoint, request } = context;
  if (!request.fileLocks) return [];
  const tasks = new Map(checkpoint.tasks.map((task) => [task.pid, task]));
  const idsOf = oncePer(({ fds }: Task) => new Map(fds.map((one) => [one.fd, one.id])));
  return checkpoint.fileLocks.values().flatMap(({ pid, fd }): Effect[] => {
    const task = tasks.get(pid);
    const id = task && idsOf(task).get(fd);
    const reg = id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg;
    if (reg === undefined) return [];
    const land = landing(context, reg.name, reg.mnt_id);
    return [
      effect({
        verb: "lock",
        what: "file",
        path: land.path ?? null,
        name: reg.name,
        detail: "others that want to lock it wait",
        image: "filelocks.img",
        task: pid,
        when: "running",
      }),
    ];
  });
}
