/** Files that tasks have open, mapped, run from or stand in: CRIU opens each by its path again (files-reg.c). */
import { constants } from "node:fs";
import type { RegFileEntry } from "../image/index.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { openedName, type Use, type UsedFile, usedFiles } from "./used-files.ts";

const isDirectoryUse = (file: UsedFile) =>
  file.uses.has("working directory") || file.uses.has("root directory");

/** A link itself can be open: O_PATH with O_NOFOLLOW, open(2). */
const follows = (reg: RegFileEntry): boolean => (reg.flags & constants.O_NOFOLLOW) === 0;

const list = (uses: Set<Use>) => [...uses].join(", ");

/** The findings about files that are gone, split by what they were for. */
function missing(context: Context, id: string, wanted: (file: UsedFile) => boolean): Finding[] {
  return usedFiles(context)
    .filter(wanted)
    .flatMap((file): Finding[] => {
      const { reg } = file;
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      if (!place.known) return [];
      const found = place.root.look(place.path, follows(reg));
      if (found.ok) return [];
      const mode =
        reg.mode === undefined ? undefined : (reg.mode & 0o7777).toString(8).padStart(4, "0");
      const directory = isDirectoryUse(file);
      return [
        {
          id,
          severity: "blocker",
          task: file.task,
          image: file.image,
          subject: place.hostPath,
          message: `${place.hostPath} (${list(file.uses)} of task ${file.task}): ${found.problem}`,
          criu_message:
            file.fifo === undefined
              ? `Can't open file ${openedName(reg)} on restore: ${found.problem}`
              : `Can't open fake fifo 0x${file.fifo.toString(16)} [${openedName(reg)}]: ${found.problem}`,
          remedy:
            file.fifo !== undefined
              ? {
                  kind: "human",
                  text: "make it again; what was in it is in the images",
                  command: `mkfifo -m ${mode ?? "0644"} ${place.hostPath}`,
                }
              : directory
                ? {
                    kind: "human",
                    text: "put the directory back with what the program expects in it; an empty one of this mode is enough for CRIU",
                    command: `install -d -m ${mode ?? "0755"} ${place.hostPath}`,
                  }
                : {
                    kind: "human",
                    text: "put the file back as it was at the dump: same content, size and mode",
                    command: null,
                  },
        },
      ];
    });
}

export const cwdMissing: Check = {
  id: "cwd-missing",
  title: "A task's working or root directory is gone",
  reads: "fs-*.img and files.img; the directory on this machine or under --root",
  why: "CRIU opens every task's working directory and root by path, and stops when one is not there.",
  proof: "criu",
  run: (context) => missing(context, "cwd-missing", isDirectoryUse),
};

export const fileMissing: Check = {
  id: "file-missing",
  title: "A file that a task has open or mapped is gone",
  reads: "files.img with fdinfo-*.img and mm-*.img; the file on this machine or under --root",
  why: "Files are not part of a checkpoint: CRIU opens each again by its path, programs and libraries too.",
  proof: "criu",
  run: (context) =>
    missing(context, "file-missing", (file) => !isDirectoryUse(file) && file.fifo === undefined),
};

export const fifoMissing: Check = {
  id: "fifo-missing",
  title: "A FIFO that a task has open is gone",
  reads: "FIFOs in files.img; the path on this machine or under --root",
  why: "What was in a FIFO is in the images, but the FIFO itself is a file like any other: CRIU opens it by its path.",
  proof: "criu",
  run: (context) => missing(context, "fifo-missing", (file) => file.fifo !== undefined),
};

export const fileChanged: Check = {
  id: "file-changed",
  title: "A file is not the one of the dump: its size or mode differs",
  reads: "size and mode in files.img; the file on this machine or under --root",
  why:
    "A program or library of another version would run with memory that belongs to the old one. CRIU compares the size and " +
    "the mode that it saved, and has an option for the permission bits only.",
  proof: "criu",
  run: (context) =>
    usedFiles(context).flatMap((file): Finding[] => {
      const { reg } = file;
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      const found = place.known ? place.root.look(place.path, follows(reg)) : undefined;
      if (!place.known || !found?.ok) return [];
      const shared = {
        id: "file-changed",
        severity: "blocker",
        task: file.task,
        image: file.image,
        subject: place.hostPath,
      } as const;
      const name = openedName(reg);
      if (reg.size !== undefined && BigInt(found.stat.size) !== reg.size) {
        return [
          {
            ...shared,
            message: `${place.hostPath} (${list(file.uses)} of task ${file.task}) has ${found.stat.size} bytes; at the dump it had ${reg.size}`,
            criu_message: `File ${name} has bad size ${found.stat.size} (expect ${reg.size})`,
            remedy: sizeRemedy(file, found.stat.size, place.hostPath),
          },
        ];
      }
      const ignored = context.request.skipFileRwxCheck ? 0o777 : 0;
      if (reg.mode === undefined || ((found.stat.mode ^ reg.mode) & ~ignored) === 0) return [];
      const octal = (mode: number) => mode.toString(8);
      const sameType = ((found.stat.mode ^ reg.mode) & constants.S_IFMT) === 0;
      return [
        {
          ...shared,
          message: `${place.hostPath} (${list(file.uses)} of task ${file.task}) has mode 0${octal(found.stat.mode)}; at the dump it had 0${octal(reg.mode)}`,
          criu_message: `File ${name} has bad mode 0${octal(found.stat.mode)} (expect 0${octal(reg.mode)})`,
          remedy: sameType
            ? {
                kind: "human",
                text: "give it its old mode back",
                command: `chmod ${octal(reg.mode & 0o7777)} ${place.hostPath}`,
              }
            : {
                kind: "human",
                text: "it is another kind of file now; put the old one back",
                command: null,
              },
        },
      ];
    }),
};

/** A log that only grew can be cut back once its tail is saved; anything else must be the old file. */
function sizeRemedy(file: UsedFile, size: number, path: string): Finding["remedy"] {
  const grew = file.reg.size !== undefined && BigInt(size) > file.reg.size;
  const onlyData = ![...file.uses].some((use) => use === "program" || use === "mapping");
  if (!grew || !onlyData)
    return {
      kind: "human",
      text: "put the file of the dump back (for a library: the package of the same version)",
      command: null,
    };
  return {
    kind: "human",
    text: "if it is a log that only grew: keep a copy and cut it back to its old size",
    command: `cp -a ${path} ${path}.grown && truncate -s ${file.reg.size} ${path}`,
  };
}
