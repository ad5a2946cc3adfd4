/** Terminals that CRIU makes or opens again: whether they can be had here (tty.c). */
import type { Stats } from "node:fs";
import { again } from "./again.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { imageOf, isPty, terminals, type Tty } from "./terminals.ts";
import { sh } from "../sys/shell.ts";

/** So many terminals CRIU opens to reach the index that it wants. */
const ATTEMPTS = 32;

export const ttyIndexBusy: Check = {
  id: "tty-index-busy",
  title: "A pseudoterminal's number cannot be had",
  reads: "tty-info.img, files.img; the names in /dev/pts",
  why:
    "A program knows its terminal as /dev/pts/N, so N must come back. The kernel always gives the lowest free number: CRIU opens one after another until it has N, " +
    "and gives up when N is somebody's, or more than 31 above the lowest free one. This also holds for a terminal that was hung up.",
  proof: "criu",
  run({ checkpoint, request, host, namespaces }) {
    if (namespaces.own.mnt) return []; // its devpts is made with it, or is a mount of its own
    const wanted = new Map<number, Tty>();
    const ttys = terminals(checkpoint, request).filter(isPty);
    for (const tty of ttys)
      if (request.orphanPtsMaster || tty.kind === "master" || tty.info.termios === undefined)
        if (tty.path !== undefined && /^\/dev\/(ptmx|pts\/\w+)$/.test(tty.path))
          wanted.set(tty.info.pty!.index, tty);
    if (wanted.size === 0) return [];
    const opened = host.root("/");
    const names = opened.ok ? opened.root.list("/dev/pts") : [];
    const taken = new Set(names.filter((name) => /^\d+$/.test(name)).map(Number));
    const lowest = (also: (index: number) => boolean) => {
      let index = 0;
      while (taken.has(index) || also(index)) index++;
      return index;
    };
    const lowestNow = lowest(() => false);
    // The others of the tree may have been opened by then.
    const lowestThen = lowest((index) => wanted.has(index));
    return [...wanted].flatMap(([index, tty]): Finding[] => {
      const busy = taken.has(index);
      if (!busy && index - lowestNow < ATTEMPTS) return [];
      const certain = busy || index - Math.min(index, lowestThen) >= ATTEMPTS;
      return [
        {
          id: "tty-index-busy",
          severity: certain ? "blocker" : "warning",
          task: null,
          image: imageOf(tty),
          subject: `/dev/pts/${index}`,
          message: busy
            ? `/dev/pts/${index} is somebody else's terminal now`
            : `/dev/pts/${index} is too far above the lowest free one, ${lowestNow}: CRIU tries ${ATTEMPTS}`,
          criu_message: `with specified index ${index}`,
          remedy: busy
            ? {
                kind: "human",
                text: "close that terminal: end the programs on it and the one that made it",
                // Who has its other end open is only told by the descriptor's number of it.
                command: sh`fuser -v /dev/pts/${index}; grep -lsx tty-index:.${index} /proc/[0-9]*/fdinfo/* | sort`,
              }
            : {
                kind: "human",
                text: `occupy the numbers from ${lowestNow} to ${index - ATTEMPTS} while it is restored`,
                command: null,
              },
        },
      ];
    });
  },
};

export const ttyExternal: Check = {
  id: "tty-external",
  title: "A terminal has to be handed to CRIU",
  reads: "tty-info.img, --inherit-fd",
  why:
    "The tree was dumped with --external tty[RDEV:DEV]: the terminal belongs to somebody else, and CRIU wants it as an open descriptor under the " +
    "same name. Which terminal that shall be, only the caller knows.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    const handed = new Set(request.inheritFds.map((fd) => fd.key));
    return terminals(checkpoint, request)
      .filter(({ wasExternal, key }) => wasExternal && !handed.has(key))
      .map((tty) => ({
        id: "tty-external",
        severity: "blocker",
        task: null,
        image: imageOf(tty),
        subject: tty.key,
        message: `no descriptor was given for the terminal ${tty.key}, which is external`,
        criu_message:
          tty.kind === "external" ? null : "Deprecated functionality (TTY w/o regfile) rejected.",
        remedy: {
          kind: "human",
          text: "open the terminal that takes its place, /dev/pts/N, and hand it over",
          command: sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${tty.key}`} 9<>/dev/pts/N`,
        },
      }));
  },
};

export const ttyOtherFile: Check = {
  id: "tty-other-file",
  title: "At a terminal's path stands something else, or everybody's device",
  reads:
    "tty-info.img, files.img; type, device number, owner and mode of what is at each path, links followed",
  why:
    "CRIU opens a terminal by its path and gives it the mode that the images say, before it looks at what it has opened: any file, any " +
    "other terminal or device of this machine gets that mode, and /dev/ptmx would be one that nobody can use any more. A terminal whose path is another file's here was given it by hand, or the path " +
    "has been put to another use.",
  proof: "harm",
  run: ({ checkpoint, request, namespaces }: Context) =>
    terminals(checkpoint, request).flatMap((tty): Finding[] => {
      if (tty.kind === "external" || tty.path === undefined) return [];
      const place = namespaces.place(tty.path, tty.mntId);
      const found = place.known ? place.root.look(place.path) : undefined;
      if (!place.known || found === undefined || (!found.ok && found.missing)) return [];
      if (found.ok && found.stat.isCharacterDevice() && found.stat.rdev === tty.info.rdev) {
        const other = otherRights(tty, found.stat);
        return other === undefined ? [] : [told(tty, place.hostPath, other)];
      }
      const there = !found.ok
        ? `what nobody can look at (${found.problem})`
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

const told = (tty: Tty, at: string, problem: string): Finding => ({
  id: "tty-other-file",
  severity: "blocker",
  task: null,
  image: imageOf(tty),
  subject: at,
  message: `${at} ${problem}`,
  criu_message: null,
  remedy: {
    kind: "human",
    text: "see what is there; where the images are not your own, do not restore them",
    command: sh`ls -lL ${at}`,
  },
});

/** /dev/tty, /dev/console and /dev/ptmx are the whole machine's: what the images would make of what anybody may do there. */
function otherRights({ info, mode }: Tty, now: Stats): string | undefined {
  if (((now.rdev >>> 8) & 0xfff) !== 5) return undefined;
  const uid = info.uid ?? now.uid;
  const then = mode ?? now.mode;
  if ((uid === 0 || uid === now.uid) && ((then ^ now.mode) & 0o006) === 0) return undefined;
  const shown = (bits: number, owner: number) =>
    `mode ${(bits & 0o7777).toString(8).padStart(4, "0")}, owner ${owner}`;
  return `is everybody's; CRIU would change it from ${shown(now.mode, now.uid)} to ${shown(then, uid)}`;
}

const numbers = (rdev: number): string => `${(rdev >>> 8) & 0xfff}:${rdev & 0xff}`;

export const ttyDeviceMissing: Check = {
  id: "tty-device-missing",
  title: "The device of a terminal is gone",
  reads: "tty-info.img, files.img; the device on this machine or under --root",
  why: "Consoles and serial lines are opened by their path again; they are no pseudoterminals, which CRIU makes.",
  proof: "criu",
  run: ({ checkpoint, request, namespaces }: Context) =>
    terminals(checkpoint, request).flatMap((tty): Finding[] => {
      if (!["console", "vt", "serial"].includes(tty.kind) || tty.path === undefined) return [];
      const place = namespaces.place(tty.path, tty.mntId);
      const found = place.known ? place.root.look(place.path) : undefined;
      if (!place.known || found === undefined || found.ok || !found.missing) return [];
      return [
        {
          id: "tty-device-missing",
          severity: "blocker",
          task: null,
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
