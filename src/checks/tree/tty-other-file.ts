import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { imageOf, terminals, type Tty } from "./terminals.ts";
import type { Stats } from "node:fs";

export const ttyOtherFile: Check = {
  title: "The path of a terminal leads to another file, or to a device that all programs use",
  reads:
    "tty-info.img, files.img; type, device number, owner and mode of what is at each path, links followed",
  why:
    "CRIU opens a terminal by its path and gives it the mode that the images say, before it looks at what it has opened: any file, any " +
    "other terminal or device of this machine gets that mode, and /dev/ptmx would be one that nobody can use any more. A terminal whose path is another file's here was given it by hand, or the path " +
    "has been put to another use.",
  proof: "harm",
  run: ({ checkpoint, request, namespaces }: Context) =>
    terminals(checkpoint, request)
      .values()
      .flatMap((tty): Problem[] => {
        if (tty.kind === "external" || tty.path === undefined) return [];
        const place = namespaces.place(tty.path, tty.mntId);
        const found = place.onHost ? place.root.look(place.path) : undefined;
        if (!place.onHost || found === undefined || (!found.ok && found.missing)) return [];
        if (found.ok && found.stat.isCharacterDevice() && found.stat.rdev === tty.info.rdev) {
          const { uid = found.stat.uid, gid = found.stat.gid } = tty.info;
          const owner = namespaces.ownerOnHost(uid, gid)?.uid ?? uid;
          const other = otherRights(tty, owner, found.stat);
          return other === undefined ? [] : [told(tty, place.hostPath, other)];
        }
        const there = !found.ok
          ? `something that cannot be looked at (${found.problem})`
          : found.stat.isCharacterDevice()
            ? `the device ${numbers(found.stat.rdev)}`
            : "no terminal at all";
        return [
          told(
            tty,
            place.hostPath,
            `is not the terminal ${numbers(tty.info.rdev)} of the images but ${there}; CRIU would change its mode`,
          ),
        ];
      }),
};

const told = (tty: Tty, at: string, problem: string): Problem => ({
  severity: "blocker",
  image: imageOf(tty),
  subject: at,
  message: `${at} ${problem}`,
  remedy: {
    kind: "human",
    text: "see what is there; where the images are not your own, do not restore them",
    command: sh`ls -lL ${at}`,
  },
});

/** /dev/tty, /dev/console and /dev/ptmx are the whole machine's: what the images would make of what anybody may do there. */
function otherRights({ mode }: Tty, uid: number, now: Stats): string | undefined {
  if (((now.rdev >>> 8) & 0xfff) !== 5) return undefined;
  const then = mode ?? now.mode;
  if ((uid === 0 || uid === now.uid) && ((then ^ now.mode) & 0o006) === 0) return undefined;
  const shown = (bits: number, owner: number) =>
    `mode ${(bits & 0o7777).toString(8).padStart(4, "0")}, owner ${owner}`;
  return `is a device that all programs use; CRIU would change it from ${shown(now.mode, now.uid)} to ${shown(then, uid)}`;
}

const numbers = (rdev: number): string => `${(rdev >>> 8) & 0xfff}:${rdev & 0xff}`;
