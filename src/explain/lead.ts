/**
 * Of a message that no entry has: what CRIU does there, what the kernel means by the errno, and where to look. It narrows the
 * question down, and is never told as a cause.
 */
import { typedWord } from "../sys/shell.ts";
import { type Errno, errnoOf, splitErrno, upToErrno } from "./errno.ts";
import { type Subject, subjectOfSource, subjectOfWords } from "./subjects.ts";

export interface Lead {
  line: string;
  /** What CRIU does in the source of the line, or what its words are about; "" where neither says. */
  about: string;
  /** What was asked of the kernel, as far as the line says it, and what its errno means; undefined without one. */
  because: string | undefined;
  /** Commands and options, as a sentence. */
  look: string;
  /** Checks that look at what it needs, before a restore. */
  checks: readonly string[];
}

/** Letters of a line that are looked at. */
const LONGEST = 4096;

/** Of one line; undefined where its source, its words and its errno say nothing. `file`: the source of CRIU's that says it. */
export function leadOf(text: string, file?: string): Lead | undefined {
  const message = text.slice(0, LONGEST);
  const subject =
    (file === undefined ? undefined : subjectOfSource(file)) ?? subjectOfWords(message);
  const { errno, asked, named } = requestIn(message);
  if (subject === undefined && errno === undefined) return undefined;
  return {
    line: message,
    about: subject?.about ?? "",
    because: becauseOf(errno, asked),
    // What the errno asks for is of what CRIU needs; of others' files it is enough to see them.
    look: lookOf(subject, file === undefined && named !== undefined ? undefined : errno, named),
    checks: subject?.checks ?? [],
  };
}

function becauseOf(errno: Errno | undefined, asked: string | undefined): string | undefined {
  if (errno === undefined) return undefined;
  const means = `${errno.name}: ${errno.means ?? errno.text}`;
  return asked === undefined ? means : `${asked}: ${means}`;
}

function lookOf(
  subject: Subject | undefined,
  errno: Errno | undefined,
  named: string | undefined,
): string {
  const word = named === undefined ? null : typedWord(named);
  const path = word === null ? [] : [`namei -l ${word}`];
  return [...path, subject?.look, errno?.remedy].filter(Boolean).join("; ") || LOOK;
}

/** Where neither words nor errno say more. */
const LOOK = "the lines before it, and CRIU's own log with -v4: its first Error";

interface Request {
  errno: Errno | undefined;
  /** `mkdir /run/x` */
  asked: string | undefined;
  /** The path in it. */
  named: string | undefined;
}

/** As Go wraps what the kernel refused: `open PATH: no such file or directory`. */
const ofGo =
  /\b((?:fork\/)?exec|open(?:at)?|l?stat|mkdir(?:at)?|unlink(?:at)?|remove|rename|symlink|link|readlink|l?chown|chmod|u?mount|read|write|truncate|mknod|dial unix|listen unix) ["'`]?(\/[^\s"'`]{1,300})["'`]?: (?:(?:connect|bind): )?$/;
/** Paths of a message, of which the last one is what failed. */
const paths = /(?<![^\s"'`‘(])\/[\w@%+=:,./-]{2,300}/g;
/** As Python does: `[Errno 13] Permission denied: '/x'`. */
const ofPython = /\[Errno (\d{1,3})\] [^:\n]{3,80}(?:: ["'](\/[^"'\n]{1,300})["'])?/;
/** As strace(1) does: `read(0, 0x7ff, 1) = -1 EIO (Input/output error)`. */
const ofStrace = /([a-z][a-z0-9_]{2,24})\([^()]{0,400}\)\s{0,40}$/;
const refusal = /= -1 E[A-Z0-9]{2,16} \(([A-Za-z][^()\n]{2,60})\)/;
/** More than a call of strace(1)'s takes. */
const CALL = 480;
/** As C, Rust and RPC write the number alone. */
const byNumber =
  /\b(?:os error |Os \{ code: |errno[ =:]{1,3}|errno: |error[: ]{1,2}-|ret(?:urned)?[ =]{1,3}-)(\d{1,3})\b|^-(\d{1,3})$/i;

/** What the kernel was asked, and what it said, as far as a line tells. */
function requestIn(message: string): Request {
  const python = ofPython.exec(message);
  if (python !== null) return { errno: errnoOf(python[1]!), asked: undefined, named: python[2] };
  const refused = refusal.exec(message);
  if (refused !== null) {
    const { errno } = splitErrno(`-: ${refused[1]}`);
    const call = ofStrace.exec(message.slice(Math.max(0, refused.index - CALL), refused.index));
    return { errno, asked: call?.[1], named: undefined };
  }
  const ended = upToErrno(message) ?? message;
  const { said, errno } = splitErrno(ended);
  if (errno === undefined || errno.name === "NONE") {
    const found = byNumber.exec(message);
    const number = found?.[1] ?? found?.[2];
    const told = number === undefined ? undefined : errnoOf(number);
    return {
      errno: told?.name === "NONE" ? undefined : told,
      asked: undefined,
      named: undefined,
    };
  }
  const go = ofGo.exec(`${said}: `);
  return {
    errno,
    asked: go === null ? undefined : `${go[1]} ${go[2]}`,
    named:
      go?.[2] ??
      said
        .match(paths)
        ?.at(-1)
        ?.replace(/[.,:]+$/, ""),
  };
}
