/** A sealed checkpoint: its images, and the files outside them, against recriu.manifest. */
import type { NeededFile } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { type UsedFile, usedFiles } from "./used-files.ts";

export const imageAltered: Check = {
  id: "image-altered",
  title: "An image is not the one that was sealed",
  reads: "recriu.manifest, and every byte of the images that it names: only where there is one",
  why:
    "`recriu seal` wrote down the size and the sha256 of every image. CRIU does not know: it restores other memory than was saved, and the programs " +
    "find out. The manifest tells damage and mix-ups, not forgery: whoever can change an image can change it, too.",
  proof: "harm",
  run({ seal }) {
    if (seal === undefined) return [];
    const altered = seal.ok ? seal.altered : [{ image: seal.file, problem: seal.problem }];
    return altered.map(({ image, problem }): Finding => ({
      id: "image-altered",
      severity: "blocker",
      task: null,
      image,
      subject: image,
      message: `${image}: ${problem}`,
      criu_message: null,
      remedy: {
        kind: "human",
        text: "copy the checkpoint again from where it was sealed; seal it again if the change was meant",
        command: null,
      },
    }));
  },
};

export const fileDiffers: Check = {
  id: "file-differs",
  title: "A file outside the images is not the one of when the checkpoint was sealed",
  reads: "recriu.manifest; size, mode and build-id of the files on this machine or under --root",
  why:
    "CRIU compares what it saved of a file, which for many is the size alone. `recriu seal` also wrote down the build-ids of programs and libraries: one of " +
    "another build runs with memory that belongs to the old one, and crashes later. What only differs in size or mode and is neither run nor mapped is a warning.",
  proof: "harm",
  run(context) {
    if (!context.seal?.ok) return [];
    const sealed = new Map(context.seal.manifest.files.map((file) => [file.path, file]));
    return filesNeeded(context).flatMap(({ used, file }): Finding[] => {
      const before = sealed.get(file.path);
      const problem = before && differs(before, file);
      if (problem === undefined) return [];
      const runs = used.uses.has("program") || used.uses.has("mapping");
      return [
        {
          id: "file-differs",
          severity: runs ? "blocker" : "warning",
          task: used.task,
          image: used.image,
          subject: file.path,
          message: `${file.path}: ${problem}`,
          criu_message: null,
          remedy: {
            kind: "human",
            text: "put the file of the machine that the checkpoint was sealed on in its place",
            command: null,
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

/** The regular files outside the images that the tree needs, as they are here; what is not there is another check's. */
export function filesNeeded(context: Context): { used: UsedFile; file: NeededFile }[] {
  return usedFiles(context).flatMap((used) => {
    const place = context.namespaces.place(used.reg.name, used.reg.mnt_id);
    if (!place.known) return [];
    const found = place.root.look(place.path);
    if (!found.ok || !found.stat.isFile()) return [];
    const runs = used.uses.has("program") || used.uses.has("mapping");
    const buildId = runs ? place.root.buildId(place.path) : undefined;
    const file = {
      path: used.reg.name,
      size: Number(found.stat.size),
      mode: Number(found.stat.mode) & 0o7777,
      mtime: found.stat.mtime.toISOString(),
      build_id: buildId === undefined ? null : Buffer.from(buildId).toString("hex"),
    };
    return [{ used, file }];
  });
}
