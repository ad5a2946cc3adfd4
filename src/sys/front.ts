/**
 * The front: where recriu is called as criu or as a runtime and may restore, the process that was started waits as it was given,
 * in the program's first instructions (scripts/entry), without a runtime of its own. A fork that is no child of it is recriu, and
 * has the front become CRIU, or end.
 */
import { ptr } from "bun:ffi";
import { ESRCH } from "./errno.ts";
import { call } from "./libc.ts";
import { kill, readable } from "./process.ts";
import { cString } from "./text.ts";

interface Front {
  readonly pid: number;
  /** Where it is told. */
  readonly socket: number;
  /** Execute a program in the front's place, with texts or C strings: 0, or -errno when it cannot, or is gone. */
  become(path: string, argv: readonly Text[], envp: readonly Text[]): number;
  /** Whether somebody has ended it. */
  isGone(): boolean;
  /** Have the front exit. */
  end(code: number): void;
  /**
   * Have the front fork anew, and end: as numbers are given otherwise now, or as there are files to which the fork is to write its own
   * before it is anything else (`0` to cgroup.procs). Once for each reason; returns when it was done before.
   */
  forkAgain(why: Again, files?: readonly string[]): void;
}

type Again = "numbers" | "cgroups";
const REASONS: readonly Again[] = ["numbers", "cgroups"];

type Text = string | Uint8Array;

const MSG_NOSIGNAL = 0x4000;
const NAME = "RECRIU_FRONT";
/** PID_MAX_LIMIT has 22. What is above says why. */
const PID_BITS = 24;
/** Milliseconds. */
const PATIENCE = 1000;

/** What the first instructions have said: two pids and a descriptor, in letters from a to p. */
function frontOf(said: string | undefined): Front | undefined {
  const [pid, socket, last] = (said?.match(/[a-p]{8}/g) ?? []).map((word) =>
    [...word].reduce((number, letter) => number * 16 + letter.charCodeAt(0) - 97, 0),
  );
  if (pid === undefined || socket === undefined || last === undefined) return undefined;
  const done = last >> PID_BITS;
  awaitEnd(last & ((1 << PID_BITS) - 1));
  const send = (bytes: Uint8Array): boolean => {
    for (let at = 0; at < bytes.length;) {
      const [from, left] = [ptr(bytes, at), BigInt(bytes.length - at)];
      const sent = call((c) => c.send(socket, from, left, MSG_NOSIGNAL));
      if (sent <= 0) return false;
      at += sent;
    }
    return true;
  };
  const order = (...numbers: [size: number, second: number, third: number]) =>
    send(new Uint8Array(new BigInt64Array(numbers.map(BigInt)).buffer));
  return {
    pid,
    socket,
    become(path, argv, envp) {
      const { table, bytes } = laidOut([path, ...argv, undefined, ...envp, undefined]);
      if (!order(bytes.length, table, argv.length + 2) || !send(bytes)) return -ESRCH;
      const answer = Buffer.alloc(8);
      const got = call((c) => c.read(socket, ptr(answer), 8n));
      return got === 8 ? Number(answer.readBigInt64LE(0)) : 0;
    },
    isGone: () => readable([socket], 0).length > 0,
    end: (code) => void order(0, code, 0),
    forkAgain(why, files = []) {
      const bit = 1 << REASONS.indexOf(why);
      if ((done & bit) !== 0) return;
      // Numbers that this process has are free only when it is gone.
      // A fork of the front begins in the front's cgroups.
      const kept = why === "numbers" ? 0 : done;
      const note = (why === "numbers" ? process.pid : 0) | ((kept | bit) << PID_BITS);
      const { table, bytes } = laidOut([...files, undefined]);
      order(bytes.length, table, -1 - note);
      send(bytes);
      process.exit(0);
    },
  };
}

/** A table of where each text begins, counted from the table's own beginning (0: none), and the texts behind it. */
function laidOut(texts: readonly (Text | undefined)[]): { table: number; bytes: Buffer } {
  const strings = texts.map((text) => (typeof text === "string" ? cString(text) : text));
  const places = new BigUint64Array(strings.length);
  let end = places.byteLength;
  strings.forEach((string, n) => {
    if (string === undefined) return;
    places[n] = BigInt(end);
    end += string.length;
  });
  const parts = [Buffer.from(places.buffer), ...strings.filter((each) => each !== undefined)];
  return { table: places.length, bytes: Buffer.concat(parts, end) };
}

/** Until the fork before this one is gone. */
function awaitEnd(pid: number): void {
  if (pid === 0) return;
  for (let i = 0; i < PATIENCE && kill(pid, 0) === 0; i++) Bun.sleepSync(1);
}

/** Undefined: this process is what was started. */
export const front: Front | undefined = frontOf(process.env[NAME]);
delete process.env[NAME];

/** What was started, and will go on as CRIU where recriu becomes it. */
export const started: number = front?.pid ?? process.pid;
