/** Programs that CRIU calls (iptables, ip, tar): what they said of themselves, and which ends of them say that something failed. */
import { type LogLine, parseLogLine } from "../criu/log.ts";
import { worthOf } from "../criu/worth.ts";
import type { Log } from "./run.ts";

/** The end of a child that was to be a program which need not be there. */
export const isOfTolerated = (previous: LogLine | undefined, { message }: LogLine): boolean =>
  previous !== undefined &&
  message.startsWith("exited, status=") &&
  /^exec(?:vp)?\(/.test(previous.message) &&
  worthOf(previous) === "nothing";

/** Whether nothing but the end of a program that CRIU called was told, and that twice: by its caller and as a task's. */
export const isOfHelper = ({ cause, sign, after }: Log): boolean =>
  sign !== undefined &&
  sign.message.startsWith("exited, status=") &&
  after.length === 0 &&
  cause?.message.replace(/^\d+ /, "") === sign.message &&
  cause.pid === sign.pid;

/** A line with the time is CRIU's own. */
const stamped = /^\s*(?:\(?\d+\.\d+\)|pie: |uns: |\d+: )/;
const complains =
  /\b(?:fatal|error|fail\w*|can't|cannot|denied|no such|not (?:found|permitted)|unable|unrecognized|file changed)\b/i;

/** What a program that CRIU called said of itself right before CRIU's error; undefined where nothing did. */
export function helperSays({ cause, before, after }: Log): string | undefined {
  // Where its words come late, it has to name itself.
  if (after[0] !== undefined && ofHelper.test(after[0])) return after[0];
  if (cause?.time === undefined) return undefined;
  const own = (text: string) => stamped.test(text) || parseLogLine(text) !== undefined;
  const from = before.findIndex(own);
  return from < 0
    ? undefined
    : before.slice(from).findLast((text) => !own(text) && isComplaint(text));
}

/** A helper that names itself says what failed, unless it goes on after that. */
const isComplaint = (text: string): boolean =>
  complains.test(text) || (ofHelper.test(text) && !text.includes("invalid option -- 'w'"));

export const ofHelper =
  /^[\s>]{0,16}(?:(?:ip6?tables|nft|ip|tar)(?:-[a-z]{1,16}){0,2}(?: v\d[\w.]{0,12}(?: \(\w{1,12}\))?)?:(?: |$)|RTNETLINK answers: )/;
