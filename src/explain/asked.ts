/**
 * Questions without a line of CRIU's: two or three words that name a case which CRIU is known not to take, in somebody's own
 * sentences or commands. Told only where no line says more.
 */
import type { Explanation } from "./index.ts";

interface Question {
  /** Each is in some line. */
  readonly words: readonly RegExp[];
  readonly cause: string;
  readonly remedy: string;
  readonly issues: readonly string[];
}

// One reading of a line each, and every repetition has an end.
const known: readonly Question[] = [
  {
    words: [
      /\bio_uring\b.{0,200}\b(?:criu|dump(?:ing|ed)?|checkpoint(?:ing|ed)?\W{1,3}restor)|\b(?:criu|dump(?:ing|ed)?|checkpoint(?:ing|ed)?)\b.{0,60}\bprocess(?:es)?\b.{0,60}\bio_uring\b|\bcriu\b.{0,200}\bio_uring\b/i,
    ],
    cause:
      "CRIU does not save an io_uring: a dump of a process that has one fails, and no option or build changes that",
    remedy:
      "switch it off in the program before the dump (UV_USE_IO_URING=0 for Node.js; io_method=worker for PostgreSQL 18; innodb_use_native_aio=0 for MariaDB), or for all by sysctl kernel.io_uring_disabled=2 (Linux 6.6 or later) before it starts; ls -l /proc/PID/fd shows which process has one",
    issues: ["#3070", "#2131"],
  },
  {
    words: [/\bpre-?dump\b.{0,120}\bcuda\b|\bcuda\b.{0,120}\bpre-?dump\b/i],
    cause:
      "CRIU's cuda plugin takes a GPU's memory at the dump alone: CRIU 4.0 runs it at a pre-dump, too, where it fails; from 4.1 on it is left out there",
    remedy:
      "dump at once, without pre-dump; CRIU 4.1 or later, whose pre-dump takes the memory outside of the GPU only; the log's first Error says whether it is that: recriu explain LOG",
    issues: ["#2654"],
  },
  {
    words: [
      /\b(?:docker|podman|nerdctl) (?:container )?pause\b|\bfreezer\.state\b.{0,40}\bFROZEN\b|\brunc pause\b/,
      /\bcheckpoint/,
      /\b(?:stall|hang|hung|stuck|blocks?\b|wait(?:s|ing)? for ?ever|never (?:ends|returns|finish))/i,
    ],
    cause:
      "the container is paused: its tasks are frozen by their cgroup, and a CRIU that freezes or stops them itself waits for what cannot run",
    remedy:
      "docker unpause NAME (podman, nerdctl alike) before the checkpoint: CRIU stops the tasks for it by itself; if it hangs without a pause, too, the last line of dump.log says where",
    issues: ["#20", "#2572"],
  },
];

export function questions(): {
  note(text: string): void;
  /** Undefined where none was asked. */
  end(): Explanation | undefined;
} {
  const lines = new Map<RegExp, string>();
  return {
    note(text) {
      for (const { words } of known)
        for (const each of words) if (!lines.has(each) && each.test(text)) lines.set(each, text);
    },
    end() {
      const asked = known.find(({ words }) => words.every((each) => lines.has(each)));
      if (asked === undefined) return undefined;
      const { words, cause, remedy, issues } = asked;
      return {
        line: lines.get(words.at(-1)!)!.trim(),
        like: undefined,
        by: "runtime",
        warning: false,
        quiet: false,
        consequence: false,
        check: "",
        also: [],
        cause,
        because: undefined,
        remedy,
        since: undefined,
        issues,
      };
    },
  };
}
