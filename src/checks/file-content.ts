/** Files that are there, and yet are not what a restore needs (files-reg.c). */
import { O_PATH } from "../sys/linux.ts";
import { constants } from "node:fs";
import { EROFS } from "../sys/errno.ts";
import type { RegFileEntry } from "../image/index.ts";
import { again } from "./again.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { builds } from "./put-back.ts";
import { openedName, type UsedFile, usedFiles } from "./used-files.ts";
import { sh, type ShellCommand, typedOption } from "../sys/shell.ts";

const accessMode = (reg: RegFileEntry): number => reg.flags & 3;

const about = (
  id: string,
  severity: Finding["severity"],
  { task, image }: Pick<UsedFile, "task" | "image">,
) => ({ id, severity, task, image });

export const fileBuildId: Check = {
  id: "file-build-id",
  title: "A program or library has the old one's size, but is another build",
  reads: "build_id in files.img; the build-id note of the file on this machine or under --root",
  why:
    "Memory that belongs to one build would run in the code of another: that crashes later, or worse. CRIU compares build-ids. " +
    "--file-validation=filesize makes it compare sizes only; recriu never adds that by itself.",
  proof: "criu",
  run(context) {
    if (context.request.fileValidation !== "buildid") return [];
    return usedFiles(context).flatMap((file): Finding[] => {
      const { reg } = file;
      // CRIU reads it through a mapping of the descriptor, which these cannot have.
      const readable = accessMode(reg) !== constants.O_WRONLY && (reg.flags & O_PATH) === 0;
      if (reg.build_id.length === 0 || reg.size === undefined || !readable) return [];
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      const found = place.known ? place.root.look(place.path) : undefined;
      // Of another size it is file-changed.
      if (!place.known || !found?.ok || BigInt(found.stat.size) !== reg.size) return [];
      const now = place.root.buildId(place.path);
      if (now === undefined) return [];
      const saved = Buffer.alloc(reg.build_id.length * 4);
      for (const [index, word] of reg.build_id.entries()) saved.writeUInt32LE(word, index * 4);
      const sameLength = Math.ceil(now.length / 4) * 4 === saved.length;
      if (sameLength && saved.subarray(0, now.length).equals(now)) return [];
      return [
        {
          ...about("file-build-id", "blocker", file),
          subject: place.hostPath,
          message: `${place.hostPath} (${[...file.uses].join(", ")} of task ${file.task}) has build-id ${Buffer.from(now).toString("hex")}; at the dump it had ${saved.toString("hex")}`,
          criu_message: `File ${openedName(reg)} has bad build-ID${sameLength ? "" : " length"}`,
          remedy: {
            kind: "option",
            text: `put the old build back${builds(context, reg, place)}; or, at the risk of crashes, compare sizes only`,
            command: null,
            option: "--file-validation=filesize",
            automatic: false,
          },
        },
      ];
    });
  },
};

export const fileUnwritable: Check = {
  id: "file-unwritable",
  title: "A file that a task writes to is on a read-only file system",
  reads: "flags in files.img; the file's mount on this machine",
  why: "CRIU opens every file with the flags it was open with; for writing, a read-only file system refuses.",
  proof: "criu",
  run(context) {
    // In a mount namespace of the tree's own, what is read-only is what its images say.
    if (context.namespaces.own.mnt) return [];
    return usedFiles(context).flatMap((file): Finding[] => {
      const { reg } = file;
      if (!file.uses.has("descriptor") || accessMode(reg) === 0 || reg.flags & O_PATH) return [];
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      if (!place.known || place.root.access(place.path, constants.W_OK) !== -EROFS) return [];
      return [
        {
          ...about("file-unwritable", "blocker", file),
          subject: place.hostPath,
          message: `${place.hostPath} is open for writing in task ${file.task}, and its file system is read-only`,
          criu_message: `Can't open file ${openedName(reg)} on restore: Read-only file system`,
          remedy: {
            kind: "human",
            text: "make its file system writable",
            command: sh`mount -o remount,rw "$(findmnt -nT ${place.hostPath} -o TARGET)"`,
          },
        },
      ];
    });
  },
};

export const externalFile: Check = {
  id: "external-file",
  title: "A file that was left to others is not handed to the restore",
  reads: "external files in files.img, and --inherit-fd",
  why:
    "With --external file[…] the dump saved only that there was a file. Whoever restores opens it and hands its descriptor to CRIU. " +
    "Files of a kind that CRIU left to a plugin need that plugin again.",
  proof: "images",
  run(context) {
    const { checkpoint, request, host } = context;
    const handed = new Set(request.inheritFds.map(({ key }) => key));
    return [...checkpoint.openFiles.values()].flatMap(({ id, reg, ext }): Finding[] => {
      const image = `files.img id 0x${id.toString(16)}`;
      if (ext !== undefined)
        return [
          {
            ...about("external-file", "warning", { task: null, image }),
            subject: `0x${ext.id.toString(16)}`,
            message: "a plugin of CRIU saved this file, and only that plugin can restore it",
            criu_message: `Unable to restore 0x${ext.id.toString(16)}`,
            remedy: {
              kind: "human",
              text: "see that CRIU finds the plugin of the dump: --libdir",
              command: null,
            },
          },
        ];
      if (reg?.ext !== true || handed.has(reg.name) || handed.has(openedName(reg))) return [];
      return [
        {
          ...about("external-file", "blocker", { task: null, image }),
          subject: reg.name,
          message: `the file ${reg.name} was left out of the dump, and no descriptor is handed over for it`,
          criu_message: `Can't open file ${openedName(reg)} on restore: No such file or directory`,
          remedy: {
            kind: "human",
            text: "open it as the tree had it, or what shall take its place, and hand it over as a descriptor, here 9",
            command: host.exists(reg.name)
              ? handedOver(context, reg)
              : sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${reg.name}`} 9<PATH`,
          },
        },
      ];
    });
  },
};

/** Opened for what the tree had it open for, never emptied. */
function handedOver(context: Context, reg: RegFileEntry): ShellCommand {
  const words = [...again(context), "--inherit-fd", `fd[9]:${reg.name}`];
  switch (accessMode(reg)) {
    case constants.O_RDONLY:
      return sh`recriu restore ${words} 9<${reg.name}`;
    case constants.O_WRONLY:
      return sh`recriu restore ${words} 9>>${reg.name}`;
    default:
      return sh`recriu restore ${words} 9<>${reg.name}`;
  }
}

export const procThreadFile: Check = {
  id: "proc-thread-file",
  title: "A file of a thread in /proc is open",
  reads: "paths in files.img; the threads in pstree.img",
  why: "CRIU opens files before it makes the threads: what /proc has only of a thread is not there yet. Of whole processes it is.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    const threads = new Map(checkpoint.tasks.map((task) => [task.pid, task.threads]));
    const handed = new Set(request.inheritFds.map(({ key }) => key));
    return [...checkpoint.openFiles.values()].flatMap(({ reg }): Finding[] => {
      const path = /^\/proc\/(\d+)\/task\/(\d+)(\/|$)/.exec(reg?.name ?? "");
      if (path === null || reg === undefined || handed.has(openedName(reg))) return [];
      const [pid, tid] = [Number(path[1]), Number(path[2])];
      if (pid === tid || !threads.get(pid)?.some((thread) => thread.tid === tid)) return [];
      return [
        {
          ...about("proc-thread-file", "blocker", {
            task: pid,
            image: `files.img id 0x${reg.id.toString(16)}`,
          }),
          subject: reg.name,
          message: `${reg.name} is open, and thread ${tid} does not exist yet when CRIU opens files`,
          criu_message: `Can't open file ${openedName(reg)} on restore: No such file or directory`,
          remedy: {
            kind: "human",
            text: "hand another file over in its place",
            command: typedOption(`--inherit-fd fd[9]:${openedName(reg)}`, " 9</dev/null"),
          },
        },
      ];
    });
  },
};
