/** Files that tasks have open, mapped, run from or stand in: CRIU opens each by its path again (files-reg.c). */
import type { RegFileEntry } from "../../image/index.ts";
import { upward } from "../../host/upward.ts";
import { EROFS } from "../../sys/errno.ts";
import { dirname, join } from "../../sys/path.ts";
import type { Context, Problem, Remedy } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { putBack } from "./put-back.ts";
import { openedName, type Use, type UsedFile, judged } from "./used-files.ts";
import { constants } from "node:fs";

/** A link itself can be open: O_PATH with O_NOFOLLOW, open(2). */
export const follows = (reg: RegFileEntry): boolean => (reg.flags & constants.O_NOFOLLOW) === 0;

export const list = (uses: ReadonlySet<Use>) => [...uses].join(", ");

/** The findings about files that are gone, split by what they were for. */
export function missing(context: Context, wanted: (file: UsedFile) => boolean): Iterable<Problem> {
  return judged(context, (file): Problem[] => {
    const { reg } = file;
    if (!wanted(file)) return [];
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
        ...onlyToRead(context, place, orElsewhere(putBack(context, file, place, found))),
      },
    ];
  });
}

/** Where a file more would be one of the system's: a library that other programs may find. */
const SYSTEM = /^\/(?:usr|lib(?:x?\d+)?|bin|sbin|etc|boot)(?:\/|$)/;

/** Where nothing can, or is to, be made, the tree may have the file that was taken along in a directory of its own. */
function onlyToRead(
  { settings }: Context,
  { root, path, hostPath }: HostPlace,
  remedy: Remedy,
): Pick<Problem, "remedy" | "apart"> {
  if (remedy.kind !== "repair") return { remedy };
  const above = [...upward(dirname(path))].find((at) => root.look(at).ok) ?? "/";
  const onlyRead = root.access(above, constants.W_OK) === -EROFS;
  const real = root.path === "/" ? (root.real(above) ?? above) : undefined;
  const isSystem =
    !settings.usePacked.includes(hostPath) &&
    real !== undefined &&
    remedy.repair.action === "file" &&
    SYSTEM.test(join(real, "file"));
  if (!onlyRead && !isSystem) return { remedy };
  const { repair, command } = remedy;
  const text = `${root.path === "/" ? above : join(root.path, above)} ${onlyRead ? "is on a file system that is only to be read" : "is the system's, and recriu adds nothing to that"}: ${remedy.text}`;
  const dir = root.path === "/" ? root.real(above) : undefined;
  return {
    remedy: { kind: "human", text, command },
    apart:
      dir === undefined || repair.action !== "file"
        ? null
        : { dir, put: { ...repair, path: join(dir, path.slice(above.length)) } },
  };
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
