/** Files with another size or mode than at the dump (files-reg.c, validate_file), and logs that only grew. */
import { file_entry } from "../../image/tables/files.ts";
import { typedOption } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { follows, list } from "./missing.ts";
import { modeBack, otherContent } from "./put-back.ts";
import { orTaken } from "./taken-along.ts";
import { openedName, type UsedFile, judged } from "./used-files.ts";
import { constants } from "node:fs";

export const fileChanged: Check = {
  title: "A file is not the one of the dump: its size or mode differs",
  reads: "size and mode in files.img; the file on this machine or under --root; --allow-grown",
  why:
    "A program or library of another version would run with memory that belongs to the old one. CRIU compares the size and the mode " +
    "that it saved, and has an option for the permission bits only. A log that only grew is no such thing: where a file was open for " +
    "appending only, or --allow-grown=PATH says so, recriu shows CRIU the image without that file's size, and what is in the file is " +
    "not compared. A file that is mapped or run is never let pass.",
  proof: "criu",
  answers: ["repair", "edit", "person"],
  maps: true,
  over: true,
  run(context) {
    const entries = context.checkpoint.values("files.img", file_entry);
    const entryOf = new Map(entries.map(({ reg }, entry) => [reg?.id, entry]));
    return judged(context, (file): Problem[] => {
      const { reg } = file;
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      const found = place.onHost ? place.root.look(place.path, follows(reg)) : undefined;
      if (!place.onHost || !found?.ok) return [];
      const { size, mode } = found.stat;
      const { hostPath } = place;
      const differs = (what: string, then: string, criu: string, remedy: Remedy): Problem => ({
        severity: "blocker",
        task: file.task,
        image: file.image,
        subject: hostPath,
        message: `${hostPath} (${list(file.uses)} of task ${file.task}) has ${what}; at the dump it had ${then}`,
        criu_message: `File ${openedName(reg)} has bad ${criu}`,
        ...orTaken(context, reg, place, remedy),
      });
      const findings: Problem[] = [];
      if (reg.size !== undefined && BigInt(size) !== reg.size)
        findings.push(
          differs(
            `${size} bytes`,
            String(reg.size),
            `size ${size} (expect ${reg.size})`,
            sizeRemedy(context, file, entryOf.get(reg.id), size, place),
          ),
        );
      const ignored = context.request.skipFileRwxCheck ? 0o777 : 0;
      if (reg.mode !== undefined && ((mode ^ reg.mode) & ~ignored) !== 0) {
        const shown = (bits: number) => bits.toString(8);
        const [now, then] = [shown(mode), shown(reg.mode)];
        const sameType = ((mode ^ reg.mode) & constants.S_IFMT) === 0;
        findings.push(
          differs(
            `mode 0${now}`,
            `0${then}`,
            `mode 0${now} (expect 0${then})`,
            sameType
              ? modeBack(context, reg, place)
              : {
                  kind: "human",
                  text: "it is another kind of file now; put the old one back",
                },
          ),
        );
      }
      return findings;
    });
  },
};

const ACCESS_MODE = 3;

/** Only what was written to its end, or what the user vouches for, may be longer than it was. */
function sizeRemedy(
  context: Context,
  file: UsedFile,
  entry: number | undefined,
  size: number,
  place: HostPlace,
): Remedy {
  const { reg, uses } = file;
  const grew = reg.size !== undefined && BigInt(size) > reg.size;
  // What has a build-id is a program or library, however it is open.
  const onlyData = uses.size === 1 && uses.has("descriptor") && reg.build_id.length === 0;
  if (!grew || !onlyData || entry === undefined) return otherContent(context, file, place, size);
  const path = place.hostPath;
  const appending =
    (reg.flags & ACCESS_MODE) === constants.O_WRONLY && (reg.flags & constants.O_APPEND) !== 0;
  if (!appending && !context.settings.allowGrown.includes(path))
    return {
      kind: "human",
      text:
        `if it is a log that only grew: --allow-grown lets it be longer; the program goes on where it stood, at ${reg.pos}, ` +
        "and may write over what came since",
      command: typedOption(`--allow-grown=${path}`),
    };
  const why = appending ? "the program only appends to it" : "--allow-grown says so";
  const risk = "what was in it at the dump is not compared";
  return {
    kind: "edit",
    text: `let it be longer: ${why}; ${risk}`,
    edits: [
      {
        file: "files.img",
        entry,
        field: "reg.size",
        from: Number(reg.size),
        to: null,
        why: `${path} only grew: ${why}`,
      },
    ],
  };
}
