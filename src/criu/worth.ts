/** What an error line of CRIU's log is worth, and which of them is the cause. */
import type { LogLine } from "./log.ts";

/** What CRIU says when it has failed already, and how its end is told: never causes. */
const consequences: readonly RegExp[] = [
  /^Unable to open fd=/,
  /^(?:exited, status=|killed by signal )/,
  /^Task (?:\d+ )?(?:exited, status=|killed by signal )/,
  /^Restorer (?:fail|abnormal termination)/,
  // Taking leave of tasks that are not held: CRIU gave up before it held them.
  /^Unable to detach from \d+/,
  /^One of more action scripts failed/,
  // Of a child that tried something out.
  /^Can't wait or bad status: errno=0/,
  // CRIU's helpers, when CRIU is gone.
  /^(?:cg: cgroupd|uns): recv req error/,
  /Can't remove the directory(?: \/tmp\/\.criu\.mntns\.|$)/,
];
const ends = /^(?:Restoring|Dumping|Pre-dumping) F(?:AILED|(?:A(?:I(?:LE?)?)?)?$)/;

/** Errors by their level, after which CRIU goes on as if nothing were; without the subsystem, which old versions leave out. */
const tolerated: readonly RegExp[] = [
  // Without CAP_SYS_RESOURCE, at every start.
  /^Can't setup RLIMIT_NOFILE for self/,
  // At every dump in a container that may not mount.
  /^Unable to \w+ the binfmt_misc file system: Operation not permitted/,
  // Of every task that uses no GPU.
  /^Failed to launch cuda-checkpoint to retrieve restore tid/,
  // Of a connection for pages that is none of TCP's; a warning from 3.19 on.
  /^Unable to restore TCP_(?:CORK|NODELAY) /,
  // Where what CRIU has put up for a dump is taken down.
  /^Failed to unlock TCP connection/,
  /^Can't umount forced mount /,
  // In a network namespace of an older kernel.
  /^Can't open sysctl net\/ipv4\/tcp_[rw]mem: /,
  // Of what was not there at the dump before: all of it is saved.
  /^No parent image found, though parent directory is set: No such file/,
  // CRIU only has the modules loaded beforehand.
  /^Diag module missing/,
  // The name of an image that is empty or not there, for the message behind it.
  /^Can't read link of fd -404: /,
  // Of iptables, at every start; what needs it says so itself.
  /^exec failed: No such file or directory/,
  // The same with its name: by `iptables -L` CRIU only has the modules loaded, and nothing else calls it so.
  /^exec(?:vp)?\("?ip6?tables"?, \.{3}\) failed: No such file or directory/,
  // Of iptables of the legacy kind, which CRIU looks for first.
  /^execvp\("ip6?tables-legacy-\w+", \.\.\.\) failed/,
  /^ip6?tables-legacy-\w+ -V failed/,
  // The next run asks the kernel again.
  /^Couldn't save \/run\//,
  // What the kernel lacks is noted when CRIU starts, and missed only by what needs it.
  /^Lazy pages are not available: /,
  /^Unable to create tun: /,
  // A thread stopped where CRIU lets it stop.
  /^si_code=4 si_pid=\d+ si_status=5$/,
  // CRaC's own CRIU, of a terminal.
  /^Can't set tty params on 0x[0-9a-f]+, trying to skip/,
  // The tree is there already.
  /^(?:Pre|Post)-resume script ret code/,
  // Where CRIU tidies up behind itself, or gives back what was its own.
  /^Restore original \/proc\/self\/loginuid failed/,
  /^Restoring CHLD sigaction failed/,
  /^Can't cure local: something happened with mapping/,
  /^Failed to cle(?:na|an)up \S+ link remap/,
  /^Unable to (?:umount|remove) \S*\.criu\.cgyard\./,
  /^Failed to close tmpfile/,
  // It has another way.
  /^failed to open \/dev\/null, using log fd/,
  // What stands at a deleted file's name stays: CRIU takes NAME.cr_link in its place; a warning from 3.8 on.
  /^Can't link \S+.* -> .*: File exists$/,
  // Groups that it could not ask for it sets; a limit above the hard one it takes down to that.
  /^Failed to get (?:number of )?supplementary groups/,
  /^Can't restore cur > max for /,
  /^Reading kernel version failed!/,
  /^Failed to (?:set flags for|obtain flags from) fd \d/,
  // A restore of what is closed, or ended, or woken all the same.
  /^Unable to shutdown the socket id /,
  /^Can't drop the dumpable flag/,
  /^Failed to restore of SO_REUSEADDR on socket /,
  /^Failed to restore TLS descriptor /,
  // The tree is whole by then.
  /^Unable to restore (?:rseq_cs|freezer) state/,
  /^(?:restore_rseq_cs: |Can't restore rseq_cs pointer )/,
  // What waits in a terminal is saved as far as there is room.
  /^The tty \(\S{1,32} \S{1,32}\) queued data overflow /,
  /^Unable to remove \/tmp\/cr-tmpfs\./,
  // A fault that CRIU's tests ask for.
  /^Corrupting \w+ for \d+, seed /,
  // Without a vDSO no 32-bit programs.
  /^Failed to get auxval, err: /,
  // Of a line for the log alone.
  /^Failed to translate address/,
  // What waited in a terminal is not whole.
  /^Restored -?\d+ bytes while \d+ expected/,
  /^Can't writeback to tty/,
];

/** Errors that end some versions, and after which others go on: the cause where nothing is said behind them. */
const endsSome: readonly RegExp[] = [
  // A start of CRIUs of 2018; a warning since.
  /^NSID is not supported/,
  // Of the trial of network namespaces at the start, behind which CRIUs up to 3.18 go on without.
  /^Unable create a network namespace: /,
  /^Unable to create a veth pair: /,
  /^check_link_nsid (?:failed|succeeded but)/,
  // Of registers that are saved compactly, on the way to 3.11.
  /^Unsupported compact xsave frame/,
];

/** The start ends where a look at the kernel fails. Others may have gone wrong before, after which CRIU went on. */
const startFailed = /^(?:\w+: )?\w+ failed when initializing kerndat/;
export const endsStart = ({ message }: LogLine): boolean => startFailed.test(message);

/** Errors of one source, each within a moment of the other: a function that failed, and those that called it. */
const MOMENT = 0.001;
export const isOfOneFailure = (one: LogLine | undefined, next: LogLine): boolean =>
  one?.time !== undefined &&
  next.time !== undefined &&
  one.file === next.file &&
  worthOf(one) === "cause" &&
  next.time >= one.time &&
  next.time - one.time < MOMENT;

/** A pair of devices, made to see whether the kernel can: what it answered stands before. */
const trial = /^Unable to create a veth pair: /;
const answer = /^(?:ERROR )?-?\d+ reported by netlink\b/;
export const isOfTrial = (error: LogLine | undefined, next: LogLine | undefined): boolean =>
  answer.test(error?.message ?? "") && trial.test(bareOf(next?.message ?? ""));

/** At each start CRIU has the modules of sockets loaded by netlink, and does not fail where that is denied: an error of something else does. */
const refused = /^Can't send request message: (?:Permission denied|Operation not permitted)/;
/** Sources that cannot do without netlink, and those that tell of it. */
const ofNetwork = /(?:^|\/)(?:net|libnetlink|namespaces|kerndat|cr-check)\.c$/;
export const isOfProbe = (error: LogLine | undefined, next: LogLine): boolean =>
  refused.test(error?.message ?? "") && worthOf(next) === "cause" && !ofNetwork.test(next.file);

/** A task that ended under CRIU's hands: why, where nothing was said before, else a consequence of that. The line may be cut there. */
const deaths = ["exited, status=", "killed by signal "];
const CUT = 9;
function isDeath(message: string): boolean {
  const said = /^\d+ (.*)$/s.exec(message)?.[1] ?? "";
  return deaths.some(
    (words) => said.startsWith(words) || (said.length >= CUT && words.startsWith(said)),
  );
}
/** As CRIU ends a tree of which a task has failed. */
const killed = /^\d+ killed by signal 9\b/;

/**
 * What an error line is worth: a cause; a task's death, which is one where nothing stands before it; a sign that something
 * failed before, of which it does not say what; the end that CRIU tells of itself; or nothing, as CRIU goes on after it.
 */
type Worth = "cause" | "death" | "sign" | "end" | "nothing";

/** Whether it is the cause as the last error of a run that did not end well. */
export const endsAsLast = ({ message }: LogLine): boolean =>
  endsSome.some((pattern) => pattern.test(bareOf(message)));
const bareOf = (message: string): string => message.replace(/^[a-z][\w-]*: /, "");

/** Whether a death tells why, behind a sign: CRIU kills the others of a tree itself, and a task that could not open a file ends by that. */
export const isTold = (dead: LogLine, sign: LogLine | undefined): boolean =>
  sign === undefined || !(killed.test(dead.message) || isByFile(dead, sign));
const isByFile = (dead: LogLine, sign: LogLine): boolean =>
  sign.pid !== undefined &&
  dead.message === `${sign.pid} exited, status=1` &&
  sign.message.startsWith("Unable to open fd=");

/** Tidying up behind a restore that went well, which fails and ends it, is done once more: the mount is gone by then. */
const tidying = /^(?:mnt: )?Can't remove the directory \S*\.criu\.mntns\./;
const tidyingAgain =
  /^(?:mnt: )?Can't (?:remount root with MS_PRIVATE|unmount \S*\.criu\.mntns\.\S*): Invalid argument/;
export const isTidiedAgain = (sign: LogLine | undefined, next: LogLine): boolean =>
  sign !== undefined && tidying.test(sign.message) && tidyingAgain.test(next.message);

export function worthOf({ message }: LogLine): Worth {
  if (isDeath(message)) return "death";
  if (ends.test(message)) return "end";
  const bare = bareOf(message);
  if ([...tolerated, ...endsSome].some((pattern) => pattern.test(bare))) return "nothing";
  return consequences.some((pattern) => pattern.test(message)) ? "sign" : "cause";
}

/** The first error that is a cause, of a start that failed the one right before its end; undefined when the log names none. */
export function causeLine(errors: readonly LogLine[]): LogLine | undefined {
  const end = errors.findIndex(endsStart);
  if (end >= 0) {
    // A line that only says that something failed has its reason before it.
    let at = errors.slice(0, end).findLastIndex((error) => worthOf(error) !== "sign");
    while (at > 0 && isOfOneFailure(errors[at - 1], errors[at]!)) at -= 1;
    const before = errors[at];
    return before !== undefined && (worthOf(before) === "cause" || endsAsLast(before))
      ? before
      : errors[end];
  }
  let sign: LogLine | undefined;
  const other = errors.findLastIndex(
    (error) => worthOf(error) === "cause" && !ofNetwork.test(error.file),
  );
  for (const [at, error] of errors.entries()) {
    if (isOfTrial(error, errors[at + 1])) continue;
    if (at < other && isOfProbe(error, errors[other]!)) continue;
    if (isTidiedAgain(sign, error)) return sign;
    const worth = worthOf(error);
    if (worth === "cause" || (worth === "death" && isTold(error, sign))) return error;
    if (worth === "sign") sign ??= error;
  }
  const last = errors.findLast((error) => worthOf(error) !== "end");
  // Behind a sign it is the last word of all.
  return last !== undefined && endsAsLast(last) ? last : undefined;
}

/** The message of the first error that is a cause: `unix: Can't bind id 0x4d …`. */
export function firstCause(errors: readonly LogLine[]): string | undefined {
  return causeLine(errors)?.message;
}
