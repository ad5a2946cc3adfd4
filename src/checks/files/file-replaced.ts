/** Files that the tree writes to or maps, of the old size, but written to or put there after the dump. */
import { join } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import { timeText } from "../../sys/time.ts";
import type { Check, Problem } from "../finding.ts";
import { follows, list } from "./missing.ts";
import { type UsedFile, judged } from "./used-files.ts";
import { constants, type Stats } from "node:fs";

/** Of these the kernel makes up what they hold, and when. */
const MADE_UP = /^\/(proc|sys)\//;

export const fileReplaced: Check = {
  title: "A file that the tree shares or writes to was changed since the dump, at the same size",
  reads:
    "mtime and ctime of files that are open for writing or mapped, on this machine or under --root; when inventory.img was written; recriu.manifest",
  why:
    "What a task maps or writes to is not in the images: it is read from the file that is there now. CRIU compares the size, and of programs and libraries " +
    "the build-id. A database or a log of the same size that was written to since, or put in its place, is taken for the old one, and the program goes " +
    "on as if it were. The images do not say when a file was written, but they are younger than anything that the tree had written: copying images " +
    "without their times hides what happened before. `recriu seal` writes the times down.",
  proof: "harm",
  blocks: false,
  run(context) {
    const written = context.host.entry(join(context.checkpoint.dir, "inventory.img"))?.mtime;
    if (written === undefined) return [];
    // In an archive that has no times, as recriu's packs have none, an image has this one.
    const dumped = written.getTime() > 0 ? written : undefined;
    const { seal } = context;
    const files = seal?.ok ? seal.manifest.files : [];
    const sealed = new Map(files.map(({ path, mtime }) => [path, mtime]));
    return judged(context, (file): Problem[] => {
      const { reg, task, image } = file;
      const kept = holdsContent(file);
      if (!kept || MADE_UP.test(reg.name)) return [];
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      const found = place.onHost ? place.root.look(place.path, follows(reg)) : undefined;
      if (!place.onHost || !found?.ok || !found.stat.isFile()) return [];
      // Of another size it is file-changed; of none there is nothing in it.
      if (found.stat.size === 0 || (reg.size !== undefined && BigInt(found.stat.size) !== reg.size))
        return [];
      const change =
        sealedChange(sealed.get(reg.name), found.stat) ?? changeSince(dumped, found.stat, kept);
      if (change === undefined) return [];
      return [
        {
          severity: "warning",
          task,
          image,
          subject: place.hostPath,
          message: `${place.hostPath} (${list(file.uses)} of task ${task}) ${reg.size === undefined ? "" : "has its old size, but "}${change}`,
          remedy: {
            kind: "human",
            text: "put the file of the dump back, if it is not the same",
            command: sh`ls -l --time-style=full-iso ${place.hostPath}`,
          },
        },
      ];
    });
  },
};

/** "own": the tree changes it, or sees others do so; "read": what it has not read yet comes from there. */
function holdsContent({ reg, uses, shared }: UsedFile): "own" | "read" | undefined {
  const { O_APPEND, O_WRONLY, O_RDONLY } = constants;
  const mode = reg.flags & 3;
  // What is only appended to is not read, nor written over.
  const appended = mode === O_WRONLY && (reg.flags & O_APPEND) !== 0;
  const written = uses.has("descriptor") && mode !== O_RDONLY && !appended;
  if (written || shared) return "own";
  // Programs and libraries are compared by their build-ids.
  return uses.has("mapping") && reg.build_id.length === 0 ? "read" : undefined;
}

function changeSince(
  dumped: Date | undefined,
  { mtime, ctime }: Stats,
  kept: "own" | "read",
): string | undefined {
  if (dumped === undefined) return undefined;
  if (mtime > dumped)
    return `it was written to at ${timeText(mtime)}, after the checkpoint was made at ${timeText(dumped)}`;
  // Files of the system get new inodes wherever they are unpacked.
  if (kept === "own" && ctime > dumped)
    return `it was put there or changed at ${timeText(ctime)}, after the checkpoint was made at ${timeText(dumped)}; its content claims to be of ${timeText(mtime)}`;
  return undefined;
}

function sealedChange(sealed: string | undefined, { mtime }: Stats): string | undefined {
  if (sealed === undefined || sealed === timeText(mtime)) return undefined;
  return `its content is of ${timeText(mtime)}, and was of ${sealed} when the checkpoint was sealed`;
}
