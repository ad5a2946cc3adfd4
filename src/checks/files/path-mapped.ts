import { pathEdits } from "../../image/index.ts";
import type { Check, Problem } from "../finding.ts";

export const pathMapped: Check = {
  title: "Files of the tree are in another place here",
  reads: "names in files.img, places in mountpoints-*.img; --map-path",
  why:
    "CRIU opens each file, program and library by its path, and binds sockets to theirs. Where these are elsewhere on this machine, --map-path=OLD=NEW has recriu " +
    "show CRIU the names of files, working directories, sockets and watches, and the places of a container's mounts, at OLD and below it as being at NEW; all that is found and verified is of those places. What the " +
    "program itself remembers, in its memory, is still OLD: what it opens later it looks for there.",
  proof: "criu",
  blocks: false,
  answers: ["edit"],
  run: ({ checkpoint, settings }) =>
    settings.mapPath.map((path): Problem => {
      const edits = pathEdits(checkpoint, settings.mapPath, path);
      const why = `${path.from} is ${path.to} here`;
      return {
        severity: edits.length === 0 ? "warning" : "info",
        image: edits[0]?.file ?? "files.img",
        subject: path.from,
        message:
          edits.length === 0
            ? `no file, socket or mount of the tree is in ${path.from}, which is to be ${path.to} here`
            : `what the tree has open in ${path.from} is brought back from ${path.to}`,
        remedy: {
          kind: "edit",
          text: `look for it in ${path.to}`,
          edits: edits.map((edit) => ({ ...edit, why })),
        },
      };
    }),
};
