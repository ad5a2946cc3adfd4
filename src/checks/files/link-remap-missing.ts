import { LINKED } from "../../image/flags.ts";
import type { RegFileEntry } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { type Remap, remapsOf } from "./remaps.ts";
import { fromBeside } from "./taken-along.ts";
import { openedName } from "./used-files.ts";

interface Link extends Remap {
  target: RegFileEntry;
  place: HostPlace;
}

/** Deleted files that the dump linked to another name. */
export function linksOf(context: Context): Link[] {
  return remapsOf(context.checkpoint, LINKED).flatMap((found): Link[] => {
    const target = context.checkpoint.openFiles.get(found.remap.remap_id)?.reg;
    if (target === undefined) return [];
    const place = context.namespaces.place(target.name, found.reg.mnt_id);
    return place.onHost ? [{ ...found, target, place }] : [];
  });
}

export const linkRemapMissing: Check = {
  title: "The name that the dump gave to a deleted file is gone",
  reads: "remap-fpath.img and files.img; the link_remap.N files on this machine or under --root",
  why:
    "With --link-remap the dump named a deleted file again, link_remap.N in its old directory, and a restore that succeeds removes that name: " +
    "such images can be restored once. When the name is gone, so is the content, but for what `recriu seal --with-files` took along: that comes back as a file without other names.",
  proof: "criu",
  answers: ["repair", "person"],
  run: (context) =>
    linksOf(context)
      .values()
      .flatMap(({ reg, target, image, place }): Problem[] => {
        const found = place.root.look(place.path, false);
        const shared = { image, subject: place.hostPath };
        if (found.ok)
          return [
            {
              ...shared,
              severity: "info",
              message: `these images can be restored once: CRIU removes ${place.hostPath} when it has restored ${reg.name}`,
              remedy: {
                kind: "human",
                text: "to restore again later, keep a second name of it and link it back each time",
                command: sh`ln ${place.hostPath} ${place.hostPath}.keep`,
              },
            },
          ];
        return [
          {
            ...shared,
            severity: "blocker",
            message: `${place.hostPath}, which holds the deleted file ${reg.name}: ${found.problem}`,
            criu_message: `Can't link ${openedName(target)} -> ${openedName(reg)}: ${found.problem}`,
            remedy: (found.missing ? fromBeside(context, target, place) : undefined) ?? {
              kind: "human",
              text: "put it back from a copy; a restore that succeeded has removed it",
            },
          },
        ];
      }),
};
