/**
 * Where the time of a small restore goes: strace(1) stops recriu at a few system calls, at which one thing is over and the next begins.
 * CRIU is not traced (strace lets go of what it executes).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { criu, recriuBinary, run, type Stage, waitFor } from "../../test/restore/stage.ts";
import { link, watched } from "../../test/dropin/as-criu.ts";
import type { Case } from "./cases.ts";
import { clear, type Spread, spread } from "./measure.ts";

export interface Part {
  what: string;
  restore: Spread;
  asCriu: Spread;
}

const CALLS = "execve,getdents64,memfd_create,vfork,clone,write,exit_group";

/** What is over at the first call of this kind after the one before, as strace writes it. `/proc` is read into 64 KiB at once. */
const PARTS: readonly [what: string, ends: RegExp][] = [
  ["the program is loaded, Bun starts; words and settings are read", /^vfork\(/],
  [
    "CRIU's version is asked for, and the images are read beside",
    /^getdents64\(.* 65536(\)| <unf)/,
  ],
  ["processes are listed; the checks; the plan", /^memfd_create\(/],
  ["the gate's script, the journal; CRIU is executed", /^execve\(/],
  ["CRIU, to its first script", /"g"/],
  ["CRIU, to the tree that stands; its structure is compared", /"g"/],
  ["CRIU, to the tree that is final; all else is compared", /"g"/],
  ["CRIU lets the tree run", /"g"/],
  ["CRIU ends; the rest is said", /^exit_group\(/],
];

/** Milliseconds from one end to the next, in the trace of one restore. */
function partsOf(trace: string): number[] {
  const calls = trace.split("\n").flatMap((line) => {
    const call = /^\d+ +(\d+\.\d+) (\w.*)/.exec(line);
    return call === null ? [] : [{ at: Number(call[1]) * 1000, call: call[2]! }];
  });
  let n = 0;
  return PARTS.map(([what, ends], part) => {
    const begin = calls[n]!.at;
    const found = calls.findIndex(({ call }, place) => place > n && ends.test(call));
    if (found < 0) throw new Error(`the trace has no end of part ${part + 1}, ${what}`);
    n = found;
    return calls[n]!.at - begin;
  });
}

export async function measureTimeline(stage: Stage, given: Case, runs: number): Promise<Part[]> {
  const trace = join(stage.dir, "trace");
  const strace = ["strace", "-f", "-b", "execve", "--seccomp-bpf", "-ttt", "-e", `trace=${CALLS}`];
  const by = async (binary: string): Promise<number[]> => {
    const words = ["restore", "-d", "-D", given.images, "-W", stage.dir, "-o", "r.log", "-v0"];
    const argv = [...strace, "-o", trace, binary, ...words, ...given.options];
    const done = await run(stage, argv, { env: { RECRIU_CRIU: criu, NO_COLOR: "1" } });
    if (done.exit !== 0) throw new Error(`exit ${done.exit}: ${done.stderr}`);
    await waitFor("the watcher to end", () => !watched(stage));
    await clear(stage);
    return partsOf(readFileSync(trace, "utf8"));
  };
  const [restores, asCriu]: number[][][] = [[], []];
  const dropin = link(stage);
  // The first turn fills what is kept for the next ones.
  for (let i = -1; i < runs; i++) {
    const turn = [await by(recriuBinary), await by(dropin)] as const;
    if (i < 0) continue;
    restores!.push(turn[0]);
    asCriu!.push(turn[1]);
  }
  const of = (all: number[][], part: number) => spread(all.map((each) => each[part]!));
  return PARTS.map(([what], part) => ({
    what,
    restore: of(restores!, part),
    asCriu: of(asCriu!, part),
  }));
}
