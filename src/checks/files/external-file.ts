import type { RegFileEntry } from "../../image/index.ts";
import { sh, type ShellCommand } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { about, accessMode } from "./file-content.ts";
import { openedName } from "./used-files.ts";
import { constants } from "node:fs";

export const externalFile: Check = {
  title: "A file that was left to others is not handed to the restore",
  reads: "external files in files.img, and --inherit-fd",
  why:
    "With --external file[…] the dump saved only that there was a file. The caller of the restore opens it, and hands its descriptor to CRIU. " +
    "Files of a kind that CRIU left to a plugin need that plugin again.",
  proof: "criu",
  *run(context): Generator<Problem> {
    const { checkpoint, request, host } = context;
    const handed = new Set(request.inheritFds.map(({ key }) => key));
    for (const { id, reg, ext } of checkpoint.openFiles.values()) {
      if (ext === undefined && !reg?.ext) continue;
      const image = `files.img id 0x${id.toString(16)}`;
      if (ext !== undefined)
        yield {
          ...about("warning", { image }),
          subject: `0x${ext.id.toString(16)}`,
          message: "a plugin of CRIU saved this file, and only that plugin can restore it",
          criu_message: `Unable to restore 0x${ext.id.toString(16)}`,
          remedy: {
            kind: "human",
            text: "see that CRIU finds the plugin of the dump: --libdir",
          },
        };
      else if (reg?.ext === true && !handed.has(reg.name) && !handed.has(openedName(reg)))
        yield {
          ...about("blocker", { image }),
          subject: reg.name,
          message: `the file ${reg.name} was left out of the dump, and no descriptor is handed over for it`,
          // CRIU takes off the first letter of every name: of a path it is the slash.
          criu_message: `Can't open file ${reg.name.slice(1)} on restore: No such file or directory`,
          remedy: {
            kind: "human",
            text: "open it as the tree had it, or what shall take its place, and hand it over as a descriptor, here 9",
            command: host.exists(reg.name)
              ? handedOver(context, reg)
              : sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${reg.name}`} 9<PATH`,
          },
        };
    }
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
