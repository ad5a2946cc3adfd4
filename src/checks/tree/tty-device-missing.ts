import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { imageOf, terminals } from "./terminals.ts";

export const ttyDeviceMissing: Check = {
  title: "The device of a terminal is gone",
  reads: "tty-info.img, files.img; the device on this machine or under --root",
  why: "Consoles and serial lines are opened by their path again; they are no pseudoterminals, which CRIU makes.",
  proof: "criu",
  waits: true,
  run: ({ checkpoint, request, namespaces }: Context) =>
    terminals(checkpoint, request)
      .values()
      .flatMap((tty): Problem[] => {
        if (!["console", "vt", "serial"].includes(tty.kind) || tty.path === undefined) return [];
        const place = namespaces.place(tty.path, tty.mntId);
        const found = place.onHost ? place.root.look(place.path) : undefined;
        if (!place.onHost || found === undefined || found.ok || !found.missing) return [];
        return [
          {
            severity: "blocker",
            image: imageOf(tty),
            subject: place.hostPath,
            message: `${place.hostPath} (a terminal of the tree): ${found.problem}`,
            criu_message: `Can't open tty ${tty.kind} 0x${tty.file.toString(16)}`,
            remedy: {
              kind: "human",
              text: "make the device again, with the numbers that it had",
              command: sh`mknod -m 0620 ${place.hostPath} c ${tty.info.rdev >> 8} ${tty.info.rdev & 0xff}`,
            },
          },
        ];
      }),
};
