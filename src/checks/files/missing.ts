/** Files that tasks have open, mapped, run from or stand in: CRIU opens each by its path again (files-reg.c). */
import type { RegFileEntry } from "../../image/index.ts";
import type { Context, Problem, Remedy } from "../finding.ts";
import { putBack } from "./put-back.ts";
import { openedName, type Use, type UsedFile, usedFiles } from "./used-files.ts";
import { constants } from "node:fs";

/** A link itself can be open: O_PATH with O_NOFOLLOW, open(2). */
export const follows = (reg: RegFileEntry): boolean => (reg.flags & constants.O_NOFOLLOW) === 0;

export const list = (uses: ReadonlySet<Use>) => [...uses].join(", ");

/** The findings about files that are gone, split by what they were for. */
export function missing(context: Context, wanted: (file: UsedFile) => boolean): Iterable<Problem> {
  return usedFiles(context)
    .values()
    .filter(wanted)
    .flatMap((file): Problem[] => {
      const { reg } = file;
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      if (!place.onHost) return [];
      const found = place.root.look(place.path, follows(reg));
      if (found.ok || isCgroup(context, place.hostPath)) return [];
      return [
        {
          severity: "blocker",
          task: file.task,
          image: file.image,
          subject: place.hostPath,
          message: `${place.hostPath} (${list(file.uses)} of task ${file.task}): ${found.problem}`,
          criu_message:
            file.fifo === undefined
              ? `Can't open file ${openedName(reg)} on restore: ${found.problem}`
              : `Can't open fake fifo 0x${file.fifo.toString(16)} [${openedName(reg)}]: ${found.problem}`,
          remedy: orElsewhere(putBack(context, file, place, found)),
        },
      ];
    });
}

const orElsewhere = <R extends Remedy>(remedy: R): R => ({
  ...remedy,
  text: `${remedy.text}; where it is elsewhere here, --map-path=OLD=NEW says so`,
});

/** CRIU makes cgroups before it opens files: a task may have a cgroup's directory open. */
function isCgroup({ host, request }: Context, path: string): boolean {
  if (["ignore", "none"].includes(request.manageCgroups.value)) return false;
  return host.cgroupMounts.some(({ mountpoint }) => path.startsWith(`${mountpoint}/`));
}
