/** What a restore came to: plain values, printed as text or JSON. */
import type { Explanation } from "../explain/index.ts";
import type { Verdict } from "../verify/index.ts";

/** The exit codes of `recriu`; README, the man pages and `recriu explain` say them from here. 128+n: ended by signal n. */
export const exits = [
  { name: "ok", code: 0, means: "restored and verified; or nothing was found that blocks" },
  {
    name: "criuFailed",
    code: 1,
    means:
      "CRIU failed (its own code is passed on), or got nowhere and was given up; recriu explain reads its log. Of undo: something is left, or may be, and it says what. Of every command: it could not do or tell what it was asked, and says why",
  },
  {
    name: "usage",
    code: 2,
    means: "usage: an unknown option, no such directory, or no checkpoint in it",
  },
  {
    name: "blocked",
    code: 3,
    means:
      "blocked: something that neither a safe repair nor an option answers; nothing was touched, and a log that -o names has the report. recriu preflight -D DIR lists it",
  },
  {
    name: "repairable",
    code: 4,
    means:
      "repairable: preflight without --fix found what recriu would repair; recriu restore does, or preflight --fix",
  },
  {
    name: "verification",
    code: 5,
    means:
      "the restored tree is not the saved one: it was killed (--verify=gate) or left running (--verify=report)",
  },
  {
    name: "images",
    code: 6,
    means: "images that are unreadable, cut short or hostile: copy the checkpoint again",
  },
] as const;

type Exits = (typeof exits)[number];
const byName = Object.fromEntries(exits.map(({ name, code }) => [name, code])) as {
  readonly [N in Exits["name"]]: Extract<Exits, { name: N }>["code"];
};
/** `left`: of `undo`, what a failed CRIU is of `restore`; `unable`: of recriu itself. */
export const exitCode = {
  ...byName,
  left: byName.criuFailed,
  unable: byName.criuFailed,
} as const;

export interface Run {
  /** CRIU's exit code; 128+n when signal n ended it. */
  criu_exit: number;
  duration_ms: number;
  /** The restored root task's pid on this machine; null when it is not there. */
  pid: number | null;
  /** Its pid in the namespace of its own that it was given; null where it was given none. */
  pid_inside: number | null;
  /** The ends of the pair by which it and this machine reach each other; null where there is none. */
  network: { readonly host: NetworkEnd; readonly tree: NetworkEnd } | null;
}

interface NetworkEnd {
  readonly device: string;
  readonly address: string;
}

/** Why a restore did not happen or was not let run. */
export interface Failure {
  /** CRIU's own line, or recriu's. */
  line: string;
  explanation: Explanation | undefined;
  /** What could not be taken back. */
  left: string[];
  /** Of a CRIU that was given up: what it and its tasks were at. */
  at: string[];
}

/** A task that ended after it was restored, while recriu still looked. */
export interface End {
  /** Its pid in the images, and on this machine. */
  task: number;
  pid: number;
  /** Its exit code, or the signal that ended it; neither: the kernel does not tell (before Linux 6.15). */
  code: number | null;
  signal: number | null;
  core_dumped: boolean;
  /** What the kernel has logged of it. */
  kernel: string | null;
}

/** The tasks that were watched, for how long at the most, and those of them that ended. */
export interface Watched {
  tasks: number;
  /** Of these nothing is known: no descriptor could be had. */
  unwatched: number;
  /** Seconds; null: until CRIU ended. */
  seconds: number | null;
  ended: End[];
}

export interface Outcome {
  exit: number;
  run: Run | null;
  verdict: Verdict | null;
  failure: Failure | null;
  /** It was one, and went well: the tree was the saved one, and is gone; what could not be taken back. */
  rehearsal?: { left: string[] };
  /** What was asked for beside the tree and not done, in words. */
  notes: string[];
  /** null: the tree was not watched. */
  watched: Watched | null;
  timing_ms: { repair: number; criu: number; verify: number };
}
