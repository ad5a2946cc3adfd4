/** Deleted files that come back with more rights than a file should have for the moment that it stands there (files-reg.c). */
import type { GhostFileEntry } from "../../image/index.ts";
import type { Check, Problem } from "../finding.ts";
import { ghostsOf } from "./ghosts.ts";
import { constants } from "node:fs";

const { S_IFCHR, S_IFMT, S_IFREG, S_IXUSR, S_IXGRP, S_IXOTH } = constants;

const S_ISUID = 0o4000;

const S_ISGID = 0o2000;

/** null, zero, full, random, urandom; tty, ptmx (Documentation/admin-guide/devices.txt): everybody may use them anyway. */
const EVERYBODYS = new Set([0x103, 0x105, 0x107, 0x108, 0x109, 0x500, 0x502]);

/** What its mode lets others do, or undefined: not more than any file. */
function rightsOf({ mode, rdev = 0, uid, gid }: GhostFileEntry): string | undefined {
  const kind = mode & S_IFMT;
  if (kind === S_IFCHR && !EVERYBODYS.has(rdev))
    return `the device ${rdev >>> 8}:${rdev & 0xff}, mode ${(mode & 0o7777).toString(8)}, owner ${uid}:${gid}`;
  if (kind !== S_IFREG || (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) === 0) return undefined;
  if (mode & S_ISUID)
    return `a program that runs with the rights of user ${uid}, whoever starts it`;
  return mode & S_ISGID
    ? `a program that runs with the rights of group ${gid}, whoever starts it`
    : undefined;
}

export const ghostRights: Check = {
  title: "A deleted file comes back as a setuid program or a device",
  reads: "mode, owner and device number in ghost-file-*.img",
  why:
    "CRIU makes a deleted file again, as root, with the content, owner and mode that the images say. The file has a name on this " +
    "machine while the tree is restored, and a restore that fails can leave it. Every user can start a setuid program there, and every " +
    "user whom its mode lets can open a device. Few programs are deleted while they run with such rights: find out where the images " +
    "come from before you allow it.",
  proof: "harm",
  run: (context) =>
    ghostsOf(context)
      .values()
      .flatMap(({ ghost, image, place, reg }): Problem[] => {
        const rights = rightsOf(ghost);
        if (rights === undefined) return [];
        return [
          {
            severity: "blocker",
            image,
            subject: place.hostPath,
            message: `the deleted file ${reg.name} comes back as ${place.hostPath}: ${rights}`,
            remedy: {
              kind: "human",
              text: "if you trust these images, --ignore=ghost-rights lets CRIU make the file for the time of the restore",
            },
          },
        ];
      }),
};
