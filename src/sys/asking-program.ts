/**
 * A program of a few instructions, which is started often and so has to start fast: it writes those variables of its
 * environment that begin with CRTOOLS_, each with its NUL, and a newline to one file, reads an answer from another,
 * and exits with 0 when that begins with a `g`, with 1 otherwise and when a file cannot be opened. With an `h` it exits
 * with 0, too, and leaves a process group connected behind. It starts in a third of the time of a shell. At CRIU's points that
 * are not before or after `-restore` or `-resume` it does not ask, and goes on, if only the files can be opened: nothing is decided there.
 *
 * Its sources are in asking-program/, one for each kind of processor. The answer has up to 16 bytes: the letter, and at 4, 8
 * and 12 three numbers that count with an `h`. Then two processes are left behind, the keeper and a member. The member is
 * put into the process group (4), the keeper into one outside it (8), and when the process at 12 has ended, the keeper
 * leaves the session and both end. All of it is there before the program itself ends: of those that the keeper forks, one is
 * the program's child, and ends at once.
 */
import { assembled } from "./assembled.ts" with { type: "macro" };

/** A process group that is to have a member with a parent in group `outside` until process `until` has ended. */
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

/** At the end of the file, for each path, its NUL included: /proc/PID/fd/N fits. */
const PLACE = 32;
const built = assembled("asking-program");

/** The program that asks at `questions` and is answered at `answers`; `code` is its file, base64, with the places empty. */
export function askingProgram(questions: string, answers: string, code = built): Uint8Array {
  const file = Buffer.from(code, "base64");
  file.write(questions, file.length - 2 * PLACE);
  file.write(answers, file.length - PLACE);
  return file;
}
