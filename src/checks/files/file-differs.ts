import type { NeededFile } from "../../image/index.ts";
import type { Check, Context, Problem } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { timeText } from "../../sys/time.ts";
import { isDirectoryUse, type UsedFile, usedFiles } from "./used-files.ts";

export const fileDiffers: Check = {
  title: "A file outside the images is not the one of when the checkpoint was sealed",
  reads: "recriu.manifest; size, mode and build-id of the files on this machine or under --root",
  why:
    "CRIU compares what it saved of a file, which for many is the size alone. `recriu seal` also wrote down the build-ids of programs and libraries: one of " +
    "another build runs with memory that belongs to the old one, and crashes later. What only differs in size or mode and is neither run nor mapped is a warning.",
  proof: "harm",
  run(context) {
    if (!context.seal?.ok) return [];
    const sealed = new Map(context.seal.manifest.files.map((file) => [file.path, file]));
    return filesNeeded(context)
      .values()
      .flatMap(({ used, file }): Problem[] => {
        const before = sealed.get(file.path);
        const problem = before && differs(before, file);
        if (problem === undefined) return [];
        const runs = used.uses.has("program") || used.uses.has("mapping");
        return [
          {
            severity: runs ? "blocker" : "warning",
            task: used.task,
            image: used.image,
            subject: file.path,
            message: `${file.path}: ${problem}`,
            remedy: {
              kind: "human",
              text: "put the file of the machine that the checkpoint was sealed on in its place",
            },
          },
        ];
      });
  },
};

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

function differs(before: NeededFile, now: NeededFile): string | undefined {
  if (now.build_id !== before.build_id)
    return `its build-id is ${now.build_id ?? "none"} and was ${before.build_id ?? "none"}`;
  if (now.size !== before.size) return `it has ${now.size} bytes and had ${before.size}`;
  if (now.mode !== before.mode)
    return `its mode is ${octal(now.mode)} and was ${octal(before.mode)}`;
  return undefined;
}

/** Where the directories will be that tasks have as working or root directories, and those above them. */
export const directoriesNeeded = (context: Context): HostPlace[] =>
  usedFiles(context)
    .filter(isDirectoryUse)
    .flatMap(({ reg }) => {
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      return place.onHost && place.path === reg.name ? [place] : [];
    });

/** The regular files outside the images that the tree needs, as they are here; what is not there is another check's. */
export function filesNeeded(
  context: Context,
): { used: UsedFile; file: NeededFile; place: HostPlace }[] {
  return usedFiles(context).flatMap((used) => {
    const place = context.namespaces.place(used.reg.name, used.reg.mnt_id);
    if (!place.onHost) return [];
    const found = place.root.look(place.path);
    if (!found.ok || !found.stat.isFile()) return [];
    const runs = used.uses.has("program") || used.uses.has("mapping");
    const buildId = runs ? place.root.buildId(place.path) : undefined;
    const file = {
      path: used.reg.name,
      size: Number(found.stat.size),
      mode: Number(found.stat.mode) & 0o7777,
      mtime: timeText(found.stat.mtime),
      build_id: buildId === undefined ? null : Buffer.from(buildId).toString("hex"),
    };
    return [{ used, file, place }];
  });
}
