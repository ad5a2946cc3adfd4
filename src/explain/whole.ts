/** Messages that were broken into lines. */
import type { LogLine } from "../criu/log.ts";
import { splitErrno } from "./errno.ts";
import { lettersKnown } from "./index.ts";
import type { Line } from "./lines.ts";
import type { Place } from "./rank.ts";

/** What begins a line of its own, and what may. */
const beginning = /^\s*(?:\(?\d+\.\d+\)|Error|Warn|pie:|\d+: |[-=*#|>$](?:[-=*#|>\s]|$)|`)/;
const labelled = /^\s*\w+: /;

/**
 * A message with what stands in the next line: code in a restored task breaks long ones with `>`, a window or a mail at its
 * edge. Of a broken one only where its errno, or words that an entry needs, were lost by that.
 */
export function wholeOf(error: LogLine, line: Line): string {
  const place = error.file === "" ? {} : { file: error.file };
  return withWords(joined(error, line, place), place);
}

function joined({ message, file }: LogLine, line: Line, place: Place): string {
  const next = line.next() ?? "";
  const piece = /^(?:\([\d.]+\) ?)?pie: (?:\d+: )?(?!\d+: |Error|Warn)(.*)$/.exec(next.trim())?.[1];
  if (message.endsWith(">") && file.includes("pie/")) return message.slice(0, -1) + (piece ?? "");
  const isPart = (text: string) => text.trim() !== "" && !beginning.test(text);
  if (!isPart(next) || splitErrno(message).errno !== undefined) return message;
  const third = line.next(2) ?? "";
  const two = together(message, next.trim());
  const three = isPart(third) ? two.flatMap((each) => together(each, third.trim())) : [];
  const all = [...two, ...three];
  const ended = labelled.test(next)
    ? []
    : all.filter((whole) => splitErrno(whole).errno !== undefined);
  return mostOf(ended, place) ?? ended[0] ?? mostOf([message, ...all], place) ?? message;
}

/** Two parts of a message: a word was broken where no blank can stand, else perhaps; an apostrophe at an end is taken for a quotation's. */
function together(first: string, second: string): string[] {
  const apart = [`${first} ${second}`, first + second];
  if (/^t\b/.test(second) && first.endsWith("n")) return [`${first}'${second}`, ...apart];
  return /^[.:=,)\]/]/.test(second) || /[/=.([_]$/.test(first) ? apart.toReversed() : apart;
}

/** Of those that an entry has whole, the one with most of its words. */
const mostOf = (texts: readonly string[], place: Place): string | undefined =>
  texts
    .map((whole) => ({ whole, letters: lettersKnown(whole, place) }))
    .filter(({ letters }) => letters > 0)
    .sort((one, other) => other.letters - one.letters)[0]?.whole;

/** Without the blanks that a window put where it broke a word, or a copy of it left there. */
function withWords(message: string, place: Place): string {
  const gaps = Array.from(message.slice(0, LONGEST).matchAll(/(?<=[\w']) {2,40}(?=['a-z])/g)).slice(
    0,
    GAPS,
  );
  if (gaps.length === 0) return message;
  const without = gaps.map(
    ({ 0: gap, index }) => message.slice(0, index) + message.slice(index + gap.length),
  );
  const none = message.replace(/(?<=[\w']) {2,40}(?=['a-z])/g, "");
  return mostOf([message, ...without, none], place) ?? message;
}
const LONGEST = 1024;
const GAPS = 4;

/**
 * A message whose errno was cut where it may be one of several, with the words of the line before it that is of the same
 * subsystem and ends in one that begins so: one request fails, and two lines tell of it.
 */
export function endedAs(message: string, before: readonly string[]): string {
  const subsystem = /^[a-z][\w-]*: /.exec(message)?.[0];
  const cut = message.slice(message.lastIndexOf(": ") + 2);
  if (subsystem === undefined || cut.length < SHORTEST || splitErrno(message).errno !== undefined)
    return message;
  const told = before.findLast((text) => text.includes(` ${subsystem}`))?.trimEnd() ?? "";
  const words = told.slice(told.lastIndexOf(": ") + 2);
  return words.startsWith(cut) && splitErrno(told).errno !== undefined
    ? message + words.slice(cut.length)
    : message;
}
const SHORTEST = 4;
