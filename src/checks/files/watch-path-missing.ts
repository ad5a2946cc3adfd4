import { knows } from "../../criu/index.ts";
import { hasBelow, savedMode } from "./saved-names.ts";
import { IN_ALL_EVENTS } from "../../sys/linux.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { backAsSealed } from "./taken-along.ts";
import { watchedPaths } from "./watches.ts";
import { constants } from "node:fs";

export const watchPathMissing: Check = {
  title: "A file or directory that a task watches is gone",
  reads:
    "paths of inotify and fanotify marks in files.img, ghost-file-*.img; the paths on this machine or under --root",
  why: "CRIU puts each watch back by the path that it found at the dump. The path must be there; what is there may be new.",
  proof: "criu",
  answers: ["repair", "person"],
  run(context) {
    return watchedPaths(context)
      .values()
      .flatMap(({ path, mnt_id, task, id, mask, kind, i_ino }): Problem[] => {
        const place = context.namespaces.place(path, mnt_id);
        const found = place.onHost ? place.root.look(place.path) : undefined;
        if (!place.onHost || found === undefined || found.ok) return [];
        return [
          {
            severity: "blocker",
            task,
            image: `files.img id 0x${id.toString(16)}`,
            subject: place.hostPath,
            message: `${place.hostPath}, which task ${task} watches, ${found.missing ? "is not there" : `cannot be looked at: ${found.problem}`}`,
            criu_message: knows(context.criu?.version, "watchWords", false)
              ? `fsnotify: Unable to open ${kind} via path ${path} (dev 0x0 ino 0x${i_ino.toString(16)}): ${found.problem}`
              : `fsnotify: Unable to open ${path}: ${found.problem}`,
            remedy: found.missing
              ? (backAsSealed(context, path, place) ??
                watchedAgain(kindOf(context, path, mask), place.hostPath))
              : {
                  kind: "human",
                  text: "look at that path, mend what keeps it from being looked at, and call recriu again",
                },
          },
        ];
      });
  },
};

/** Of entries of a directory: IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE. A watch of a file for all events has them, too. */
const IN_ENTRIES = 0x3c0;

/** What stood at a watched path, as far as the images know: a watch itself has no mode. */
function kindOf(
  { checkpoint }: Context,
  path: string,
  mask: number,
): "directory" | "file" | undefined {
  if ((mask & IN_ENTRIES) !== 0 && (mask & IN_ALL_EVENTS) !== IN_ALL_EVENTS) return "directory";
  const mode = savedMode(checkpoint, path);
  if (mode !== undefined)
    return (mode & constants.S_IFMT) === constants.S_IFDIR ? "directory" : "file";
  return hasBelow(checkpoint, path) ? "directory" : undefined;
}

function watchedAgain(kind: "directory" | "file" | undefined, path: string): Remedy {
  if (kind === "directory")
    return {
      kind: "human",
      text: "put the directory back; an empty one is enough for CRIU",
      command: sh`install -d ${path}`,
    };
  return {
    kind: "human",
    text:
      kind === "file"
        ? "put the file back; whatever is in it is enough for CRIU, a directory is another thing to the program"
        : `put back what was there; whether that was a directory or a file the images do not say. An empty one of the right kind is enough for CRIU: mkdir or touch`,
    command: kind === "file" ? sh`touch ${path}` : null,
  };
}
