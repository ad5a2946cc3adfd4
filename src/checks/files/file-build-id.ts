import { O_PATH } from "../../sys/linux.ts";
import type { Check, Problem } from "../finding.ts";
import { about, accessMode } from "./file-content.ts";
import { builds } from "./put-back.ts";
import { orTaken } from "./taken-along.ts";
import { openedName, judged } from "./used-files.ts";
import { constants } from "node:fs";

export const fileBuildId: Check = {
  title: "A program or library has the old one's size, but is another build",
  reads: "build_id in files.img; the build-id note of the file on this machine or under --root",
  why:
    "Memory that belongs to one build would run in the code of another: that crashes later, or worse. CRIU compares build-ids. " +
    "--file-validation=filesize makes it compare sizes only; recriu never adds that by itself.",
  proof: "criu",
  answers: ["repair", "choice"],
  maps: true,
  over: true,
  run(context) {
    if (context.request.fileValidation !== "buildid") return [];
    return judged(context, (file): Problem[] => {
      const { reg } = file;
      // CRIU reads it through a mapping of the descriptor, which these cannot have.
      const readable = accessMode(reg) !== constants.O_WRONLY && (reg.flags & O_PATH) === 0;
      if (reg.build_id.length === 0 || reg.size === undefined || !readable) return [];
      const place = context.namespaces.place(reg.name, reg.mnt_id);
      const found = place.onHost ? place.root.look(place.path) : undefined;
      // Of another size it is file-changed.
      if (!place.onHost || !found?.ok || BigInt(found.stat.size) !== reg.size) return [];
      const now = place.root.buildId(place.path);
      if (now === undefined) return [];
      const saved = Buffer.alloc(reg.build_id.length * 4);
      for (const [index, word] of reg.build_id.entries()) saved.writeUInt32LE(word, index * 4);
      const sameLength = Math.ceil(now.length / 4) * 4 === saved.length;
      if (sameLength && saved.subarray(0, now.length).equals(now)) return [];
      return [
        {
          ...about("blocker", file),
          subject: place.hostPath,
          message: `${place.hostPath} (${[...file.uses].join(", ")} of task ${file.task}) has build-id ${Buffer.from(now).toString("hex")}; at the dump it had ${saved.toString("hex")}`,
          criu_message: `File ${openedName(reg)} has bad build-ID${sameLength ? "" : " length"}`,
          ...orTaken(context, reg, place, {
            kind: "option",
            text: `put the old build back${builds(context, reg, place)}; or, at the risk of crashes, compare sizes only`,
            option: "--file-validation=filesize",
            automatic: false,
          }),
        },
      ];
    });
  },
};
