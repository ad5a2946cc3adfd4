/**
 * The first process of a pid namespace of its own (pid_namespaces(7)), in which CRIU restores: it makes the namespaces, does
 * what has to be done in them before, starts CRIU when it is told to, reaps, and passes signals from outside on to the tree. It ends when
 * nothing is left, with the code of the tree's root, and when recriu is gone before the tree runs: then the kernel ends all
 * that is in the namespace.
 *
 * Its sources are in init-program/. It is started with CRIU's path and words as its own, and with descriptors of recriu's at
 * known numbers. By `control` it hears a byte: start CRIU; then 0: do what is to be done `later`, once; then the number of the root
 * task, inside: the tree may run. Each of its own words is two numbers at `status` (Said). What started it ends at once: its parent is recriu.
 */
import { assembled } from "./assembled.ts" with { type: "macro" };
import { cString } from "./libc.ts";

/** A system call: its number, and up to six arguments, of which bytes are given by their address. */
export type Step = readonly [number: number, ...args: (number | Uint8Array | string)[]];

interface Order {
  /** CLONE_NEW… of clone(2), together. */
  readonly namespaces: number;
  /** What is done in them, in order; one that fails is the last. */
  readonly steps: readonly Step[];
  /** The same, when recriu says so. By then it has closed all that CRIU was given, and the next descriptor is 1. */
  readonly later: readonly Step[];
  /** The numbers of its descriptors, and of the first and the last of those that are recriu's own; CRIU has those below. */
  readonly fds: {
    readonly control: number;
    readonly status: number;
    readonly first: number;
    readonly last: number;
  };
}

/**
 * What it says. made: it is there, as process `value` of this machine, or -errno. step: the step failed of which so many were
 * to come, with -errno. started: CRIU has been forked, by its number inside. unstarted: its program cannot be executed,
 * -errno. ended: its status of wait(2).
 */
export interface Said {
  readonly about: "made" | "step" | "started" | "unstarted" | "ended";
  readonly toCome: number;
  readonly value: number;
}

/** Bytes of one of its words. */
export const WORD = 8;

const words = { p: "made", f: "step", c: "started", x: "unstarted", s: "ended" } as const;

export function wordOf(bytes: Buffer): Said {
  const letter = String.fromCharCode(bytes[0]!) as keyof typeof words;
  return {
    about: words[letter],
    toCome: bytes.readUInt32LE(0) >>> 8,
    value: bytes.readInt32LE(4),
  };
}

/** elf.S: where the segment is mapped, and where in the file its size stands, twice. */
const ADDRESS = 0x400000;
const SIZES = 64 + 32;
/** order.S. */
const ORDER = 48;
const STEP = 7 * 8;
const SIGPIPE = 13;
/** Every signal but that of a pipe without a reader, which is this process's own affair. */
const TAKEN = ~(1n << BigInt(SIGPIPE - 1)) & 0xffff_ffff_ffff_ffffn;

const built = assembled("init-program");

/** The program with its order; `code` is its file, base64, with the order empty. */
export function initProgram({ namespaces, steps, later, fds }: Order, code = built): Uint8Array {
  const program = Buffer.from(code, "base64");
  const at = program.length - ORDER;
  program.writeBigUInt64LE(BigInt(namespaces), at);
  program.writeBigUInt64LE(TAKEN, at + 8);
  program.writeBigUInt64LE(BigInt(steps.length), at + 16);
  program.writeBigUInt64LE(BigInt(later.length), at + 24);
  program.writeInt32LE(fds.control, at + 32);
  program.writeInt32LE(fds.status, at + 36);
  program.writeInt32LE(fds.first, at + 40);
  program.writeInt32LE(fds.last, at + 44);
  const all = [...steps, ...later];
  const table = Buffer.alloc(all.length * STEP);
  const texts: Uint8Array[] = [];
  let next = ADDRESS + program.length + table.length;
  all.forEach((step, index) => {
    step.forEach((each, place) => {
      const value = typeof each === "number" ? BigInt(each) : BigInt(next);
      table.writeBigInt64LE(value, index * STEP + place * 8);
      if (typeof each === "number") return;
      const bytes = typeof each === "string" ? cString(each) : each;
      texts.push(bytes);
      next += bytes.length;
    });
  });
  const file = Buffer.concat([program, table, ...texts]);
  for (const size of [SIZES, SIZES + 8]) file.writeBigUInt64LE(BigInt(file.length), size);
  return file;
}
