import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { asIfFree } from "../private-dirs.ts";
import { about, type Ghost, ghostsOf, isDirectory, kinds } from "./ghosts.ts";
import { constants } from "node:fs";

export const ghostFileExists: Check = {
  title: "Something stands where CRIU makes a deleted file again",
  reads: "remap-fpath.img and ghost-file-*.img; the name that CRIU gives each for the moment",
  why:
    "A deleted file comes back under a name of CRIU's own (NAME.cr.N.ghost) and is deleted again at the end. A CRIU that was killed leaves it " +
    "behind, and the next restore fails on it (and removes it). A deleted directory comes back under its old name: one that stands there " +
    "now gets the old one's owner and mode, and is removed at the end, or, when there is something in it, makes the restore fail.",
  proof: "criu",
  apart: true,
  run: (context) => ghostsOf(context).flatMap((ghost) => standing(ghost) ?? []),
};

function standing(ghost: Ghost): Problem | undefined {
  const { place } = ghost;
  const found = place.root.look(place.path, false);
  if (!found.ok) return undefined;
  const at = place.hostPath;
  if (!isDirectory(ghost.ghost)) {
    const kind = kinds[ghost.ghost.mode & constants.S_IFMT] ?? "Can't create ghost regfile";
    return {
      ...about("blocker", ghost),
      message: `${at} is left from a CRIU that was killed: a deleted file cannot be made again there`,
      criu_message: `${kind}: File exists`,
      apart: asIfFree(place),
      remedy: { kind: "human", text: "remove what that CRIU left", command: sh`rm ${at}` },
    };
  }
  if (!found.stat.isDirectory()) return undefined;
  const full = place.root.list(place.path).length > 0;
  return {
    ...about("blocker", ghost),
    message: full
      ? `the directory ${at} was deleted at the dump, and one of this name with something in it stands there now`
      : `the directory ${at} was deleted at the dump; the empty one that stands there now would be taken for it: given its owner and mode, and removed`,
    criu_message: full ? `Couldn't unlink remap ${ghost.path}: Directory not empty` : null,
    apart: asIfFree(place),
    remedy: {
      kind: "human",
      text: "move it away for the restore",
      command: sh`mv ${at} ${at}.aside`,
    },
  };
}
