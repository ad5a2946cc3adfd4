import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { imageOf, isPty, terminals, type Tty } from "./terminals.ts";

/** So many terminals CRIU opens to reach the index that it wants. */
const ATTEMPTS = 32;

export const ttyIndexBusy: Check = {
  title: "A pseudoterminal's number cannot be had",
  reads: "tty-info.img, files.img; the names in /dev/pts",
  why:
    "A program knows its terminal as /dev/pts/N, so N must come back. The kernel always gives the lowest free number: CRIU opens one after another until it has N, " +
    "and gives up when N is taken, or more than 31 above the lowest free one. This also holds for a terminal that was hung up.",
  proof: "criu",
  isolate: "pty",
  waits: true,
  run({ checkpoint, request, host, namespaces }) {
    if (namespaces.created.mnt) return []; // its devpts is made with it, or is a mount of its own
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
    const lowestNow = firstFree(taken);
    // The others of the tree may have been opened by then.
    const lowestThen = firstFree(taken, wanted);
    return [...wanted].values().flatMap(([index, tty]): Problem[] => {
      const busy = taken.has(index);
      if (!busy && index - lowestNow < ATTEMPTS) return [];
      const certain = busy || index - Math.min(index, lowestThen) >= ATTEMPTS;
      return [
        {
          severity: certain ? "blocker" : "warning",
          image: imageOf(tty),
          subject: `/dev/pts/${index}`,
          message: busy
            ? `/dev/pts/${index} is another program's terminal now`
            : `/dev/pts/${index} is too far above the lowest free one, ${lowestNow}: CRIU tries ${ATTEMPTS}`,
          criu_message: `with specified index ${index}`,
          // Where there is no terminal yet, it opens those of the tree and so many more.
          isolate: index - Math.min(index, firstFree(wanted)) < ATTEMPTS ? undefined : null,
          remedy: busy
            ? {
                kind: "human",
                text: "close that terminal: end the programs on it and the one that made it",
                // The holder of its other end is found by the index that its descriptor names.
                command: sh`fuser -v /dev/pts/${index}; grep -lsx tty-index:.${index} /proc/[0-9]*/fdinfo/* | sort`,
              }
            : {
                kind: "human",
                text: `occupy the numbers from ${lowestNow} to ${index - ATTEMPTS} while it is restored`,
              },
        },
      ];
    });
  },
};

/** The lowest index that none of these has. */
function firstFree(...taken: readonly { has(index: number): boolean }[]): number {
  let index = 0;
  while (taken.some((some) => some.has(index))) index++;
  return index;
}
