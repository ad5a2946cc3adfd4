import { MANIFEST, type NeededFile } from "../../image/index.ts";
import type { Check, Context, Problem } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { timeText } from "../../sys/time.ts";
import { accessMode } from "./file-content.ts";
import { orTaken } from "./taken-along.ts";
import { type UsedFile, usedFiles } from "./used-files.ts";
import { constants } from "node:fs";

export const fileDiffers: Check = {
  title: "A file outside the images is not the one of when the checkpoint was sealed",
  reads: "recriu.manifest; size, mode and build-id of the files on this machine or under --root",
  why:
    "CRIU compares what it saved of a file, which for many is the size alone. `recriu seal` also wrote down the build-ids of programs and libraries: one of " +
    "another build runs with memory that belongs to the old one, and crashes later. `recriu seal --with-files` wrote down what is in a file, too: where it was written to since, that is compared. " +
    "What is neither run nor mapped is a warning, and so is the content of what the tree itself writes to.",
  proof: "harm",
  answers: ["repair", "person"],
  over: true,
  *run(context) {
    const { seal, settings } = context;
    const sealed = new Map(
      (seal?.ok ? seal.manifest.files : []).map((file) => [file.path, file] as const),
    );
    const unused = new Set(settings.usePacked);
    for (const { reg } of unused.size === 0 ? [] : usedFiles(context)) {
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      if (place.onHost && sealed.get(reg.name)?.taken !== undefined) unused.delete(place.hostPath);
    }
    for (const { used, file, place } of sealed.size === 0 ? [] : filesNeeded(context)) {
      const before = sealed.get(file.path);
      const content = before && hasOther(before, file, place);
      const problem = before && (differs(before, file) ?? content);
      if (problem === undefined) continue;
      const uses = used.uses.has("program") || used.uses.has("mapping");
      const runs = uses && (problem !== content || accessMode(used.reg) === constants.O_RDONLY);
      yield {
        severity: runs ? "blocker" : "warning",
        task: used.task,
        image: used.image,
        subject: file.path,
        message: `${file.path}: ${problem}`,
        ...orTaken(context, used.reg, place, {
          kind: "human",
          text: "put the file of the machine that the checkpoint was sealed on in its place",
        }),
      };
    }
    for (const path of unused) yield notTaken(path);
  },
};

/** A person's word that changes nothing. */
const notTaken = (path: string): Problem => ({
  severity: "warning",
  image: MANIFEST,
  subject: path,
  message: `no file of the tree was taken along from ${path}, which --use-packed names`,
  remedy: { kind: "human", text: "name one that the tree uses, by its whole path on this machine" },
});

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

function differs(before: NeededFile, now: NeededFile): string | undefined {
  if (now.build_id !== before.build_id)
    return `its build-id is ${now.build_id ?? "none"} and was ${before.build_id ?? "none"}`;
  if (now.size !== before.size) return `it has ${now.size} bytes and had ${before.size}`;
  if (now.mode !== before.mode)
    return `its mode is ${octal(now.mode)} and was ${octal(before.mode)}`;
  return undefined;
}

/** Of one that looks the same and was written to since: whether its bytes are others. What cannot be read is another check's. */
function hasOther(before: NeededFile, now: NeededFile, { root, path }: HostPlace) {
  if (before.taken === undefined || now.size !== before.size || now.mtime === before.mtime)
    return undefined;
  const sha256 = root.sha256(path);
  return sha256 === undefined || sha256 === before.taken.sha256
    ? undefined
    : `its content is not what it was: it was written to on ${now.mtime}`;
}

/** The regular files outside the images that the tree needs, as they are here; what is not there is another check's. */
export function filesNeeded(
  context: Context,
): { used: UsedFile; file: NeededFile; place: HostPlace }[] {
  return usedFiles(context).flatMap((used) => {
    const place = context.namespaces.place(used.reg.name, used.reg.mnt_id);
    const runs = used.uses.has("program") || used.uses.has("mapping");
    const file = place.onHost ? neededAt(used.reg.name, place, runs) : undefined;
    return place.onHost && file !== undefined ? [{ used, file, place }] : [];
  });
}

/** The regular file at a place, as it is there; its build-id, where it `runs`. */
export function neededAt(name: string, place: HostPlace, runs: boolean): NeededFile | undefined {
  const found = place.root.look(place.path);
  if (!found.ok || !found.stat.isFile()) return undefined;
  const buildId = runs ? place.root.buildId(place.path) : undefined;
  return {
    path: name,
    size: Number(found.stat.size),
    mode: Number(found.stat.mode) & 0o7777,
    mtime: timeText(found.stat.mtime),
    build_id: buildId === undefined ? null : Buffer.from(buildId).toString("hex"),
  };
}
