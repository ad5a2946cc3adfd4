/** Files and sockets of mounts that the images do not describe (mount.c, lookup_mnt_id). */
import { usedFiles } from "../files/used-files.ts";
import type { Check, Problem } from "../finding.ts";
import { imageOf, isBound, namedSockets } from "../sockets/unix-entries.ts";
import { savedMounts } from "./external.ts";

export const mountUnknown: Check = {
  title: "A file or socket lies on a mount that the images do not have",
  reads: "mnt_id of files and Unix sockets in files.img; mountpoints-*.img",
  why:
    "CRIU opens a file inside the mount that it was opened in, by the mount's number. When no mountpoints image has that number it cannot " +
    "tell the namespace: for a socket it stops, for a file it crashes. Images of two dumps were mixed, or one is missing.",
  proof: "criu",
  run(context) {
    if (!context.namespaces.created.mnt) return [];
    const saved = new Set(savedMounts(context).map(({ entry }) => entry.mnt_id));
    const unknown = (id: number | undefined): id is number =>
      id !== undefined && id >= 0 && !saved.has(id);
    const lacking = (id: number, image: string, subject: string, said: string): Problem => ({
      severity: "blocker",
      image,
      subject,
      message: `${subject} is on mount ${id}, which no mountpoints image has`,
      criu_message: said,
      remedy: {
        kind: "human",
        text: "copy the whole checkpoint again from where it was made; files of two dumps must not be mixed",
      },
    });
    const files = usedFiles(context).flatMap(({ reg, image }) =>
      unknown(reg.mnt_id) ? [lacking(reg.mnt_id, image, reg.name, "BUG at criu/mount.c")] : [],
    );
    const sockets = namedSockets(context).flatMap((named) => {
      const { mnt_id } = named.entry;
      if (!isBound(named) || !unknown(mnt_id)) return [];
      const subject = "path" in named.name ? named.name.path : `@${named.name.abstract}`;
      const said = `unix: Unable to find the ${mnt_id} mount`;
      return [lacking(mnt_id, imageOf(named.entry), subject, said)];
    });
    return [...files, ...sockets];
  },
};
