/**
 * A program of a few instructions, for who is started often and has little to say: it writes those variables of its
 * environment whose names begin with CRTOOLS_, each with its NUL, and a newline to one file, reads an answer from another,
 * and exits with 0 when that begins with a `g`, with 1 otherwise and when a file cannot be opened. With an `h` it exits
 * with 0, too, and leaves a process group connected behind (asking-listing.ts). It starts in a third of the time of a
 * shell.
 *
 * An ELF file of one segment (elf(5)).
 */
import { listings } from "./asking-listing.ts";

/** A process group that is to have a member whose parent is in group `outside` until process `until` has ended. */
export interface Hold {
  readonly group: number;
  readonly outside: number;
  readonly until: number;
}

/** The answer: go on or not, or go on and leave the keeper of a group behind. */
export function answerBytes(answer: boolean | Hold): Uint8Array {
  if (typeof answer === "boolean") return Buffer.from(answer ? "g" : "n");
  const { group, outside, until } = answer;
  const numbers = Buffer.from(Int32Array.of(group, outside, until).buffer);
  return Buffer.concat([Buffer.from("h\0\0\0"), numbers]);
}

/** Bytes for each path, its NUL included: /proc/PID/fd/N fits. */
const PLACE = 32;
const HEADERS = 64 + 56;
/** Where the segment is mapped; a multiple of every page size. */
const ADDRESS = 0x400000;

/** The program that asks at `questions` and is answered at `answers`, for `architecture`; undefined: there is none for it. */
export function askingProgram(
  questions: string,
  answers: string,
  architecture = process.arch,
): Uint8Array | undefined {
  const listing = listings[architecture];
  if (listing === undefined) return undefined;
  const hex = [...listing.code.matchAll(/^ {2}((?:[0-9a-f]{2} )+)/gm)].map(([, bytes]) => bytes);
  const code = Buffer.from(hex.join("").replaceAll(" ", ""), "hex");
  const file = Buffer.alloc(HEADERS + code.length + 2 * PLACE);
  const header: [at: number, size: 2 | 4 | 8, value: number][] = [
    [16, 2, 2], //                        e_type: ET_EXEC
    [18, 2, listing.machine], //          e_machine
    [20, 4, 1], //                        e_version
    [24, 8, ADDRESS + HEADERS], //        e_entry
    [32, 8, 64], //                       e_phoff
    [52, 2, 64], //                       e_ehsize
    [54, 2, 56], //                       e_phentsize
    [56, 2, 1], //                        e_phnum
    [64, 4, 1], //                        p_type: PT_LOAD
    [68, 4, 5], //                        p_flags: PF_R, PF_X
    [80, 8, ADDRESS], //                  p_vaddr
    [88, 8, ADDRESS], //                  p_paddr
    [96, 8, file.length], //              p_filesz
    [104, 8, file.length], //             p_memsz
    [112, 8, 0x10000], //                 p_align
  ];
  file.write("\x7fELF\x02\x01\x01", "latin1");
  for (const [at, size, value] of header) file.writeUIntLE(value, at, Math.min(size, 6));
  code.copy(file, HEADERS);
  file.write(questions, HEADERS + code.length);
  file.write(answers, HEADERS + code.length + PLACE);
  return file;
}
