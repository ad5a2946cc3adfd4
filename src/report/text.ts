/** Verdict, failure and outcome as a person reads them at three in the morning. */
import { constants } from "node:os";
import type { Explanation } from "../explain/index.ts";
import type { Difference, Verdict } from "../verify/index.ts";
import { count } from "./findings.ts";
import type { Failure, Outcome, End, Run, Watched } from "./outcome.ts";
import { bold, dim, green, harmless, line, red, yellow } from "./terminal.ts";

const mebibytes = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MiB`;
/** Differences of one facet and class that are shown; of the others their number. */
const SHOWN = 5;

/** The classes, in a reader's words. */
const said: Record<Difference["class"], string> = {
  fatal: "fatal",
  tolerated: "tolerated",
  expected: "as planned",
  mended: "mended",
  changed: "changed since",
};

export function printVerdict(verdict: Verdict): void {
  if (verdict.result === "skipped") return;
  const groups = new Map<string, Difference[]>();
  for (const difference of verdict.differences) {
    const group = `${said[difference.class]}[${difference.facet}]`;
    groups.set(group, [...(groups.get(group) ?? []), difference]);
  }
  for (const [group, differences] of groups) {
    const paintGroup = group.startsWith("fatal") ? red : yellow;
    for (const { task, expected, found } of differences.slice(0, SHOWN)) {
      line(
        `${paintGroup(group)} task ${task ?? "-"}: saved ${harmless(expected)}, found ${harmless(found)}`,
      );
    }
    if (differences.length > SHOWN)
      line(`${paintGroup(group)} and ${differences.length - SHOWN} more`);
  }
  const { compared, not_compared: notCompared, left_out: leftOut } = verdict;
  const why = leftOut.map(({ facet, reason, count: n }) => `${facet}: ${reason}: ${n}`).join("; ");
  const apart = notCompared === 0 ? "" : `, ${notCompared} not compared (${why})`;
  const memory = verdict.memory === undefined ? "" : ` and ${mebibytes(verdict.memory)} of memory`;
  const counted = `${compared} values${memory} compared${apart}`;
  const changed = verdict.differences.filter((difference) => difference.class === "changed").length;
  // No more is said than was seen.
  const saved =
    changed > 0
      ? `${changed} changed since by the running tree; what it cannot change is as it was saved`
      : notCompared > 0
        ? "what was compared is as it was saved"
        : "the tree is the saved one";
  line(
    verdict.result === "match"
      ? `${green("verified")}: ${counted}, ${saved}`
      : `${red("not verified")}: ${counted}, the tree is not the saved one`,
  );
}

export function printExplanation(explanation: Explanation, withRemedy = true): void {
  const { check, like, cause, because, remedy, since, issues } = explanation;
  if (like !== undefined)
    line(`  ${dim("like")}    ${harmless(like)}: not all of its words are in the line`);
  if (cause !== "") line(`  ${dim("cause")}   ${harmless(cause)}`);
  if (because !== undefined) line(`  ${dim("because")} ${harmless(because)}`);
  if (withRemedy) line(`  ${dim("remedy")}  ${harmless(remedy)}`);
  if (since !== undefined) line(`  ${dim("since")}   CRIU ${since}`);
  if (check !== "")
    line(`  ${dim("check")}   recriu preflight names it before a restore: ${check}`);
  if (issues.length > 0) line(`  ${dim("more")}    ${issues.map(withProject).join(", ")}`);
}

/** CRIU's own issues have no name in front; it stands before the first of them, and behind those of another project. */
const withProject = (issue: string, at: number, all: readonly string[]): string =>
  issue.includes("/") || (at > 0 && !all[at - 1]!.includes("/"))
    ? issue
    : `checkpoint-restore/criu ${issue}`;

/** Why no journal is kept, if so: that keeps no restore from going on. */
export function printJournalNote(problem: string | undefined): void {
  if (problem === undefined) return;
  line(
    `${yellow("note")}: no journal is kept, so a killed recriu could not be undone: ${harmless(problem)}`,
  );
}

export function printFailure(failure: Failure): void {
  line(`${red("failed")}: ${bold(harmless(failure.line))}`);
  if (failure.explanation !== undefined) printExplanation(failure.explanation);
  for (const at of failure.at) line(`  ${dim("at")}      ${harmless(at)}`);
  for (const left of failure.left) line(`  ${yellow("left")}    ${harmless(left)}`);
}

/** Only what was looked for: docs/verification.md says what CRIU may leave beside. */
const NOTHING_LEFT =
  "taken back: of what was looked for (tasks, sockets, cgroups, deleted files, temporary directories, kernel.pid_max) nothing is left";
export function printNotes(notes: readonly string[]): void {
  for (const note of notes) line(`${yellow("note")}: ${harmless(note)}`);
}

/** How a task ended: `by SIGABRT, its core dumped`. */
function howOf({ code, signal, core_dumped }: End): string {
  if (signal !== null) {
    const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
    return `by ${name ?? `signal ${signal}`}${core_dumped ? ", its core dumped" : ""}`;
  }
  return code === null ? "; how, this kernel does not tell (before Linux 6.15)" : `with ${code}`;
}

/** What became of the tree while it was watched; `root` is its root on this machine. */
function printWatched({ tasks, unwatched, seconds, ended }: Watched, root: number | null): void {
  for (const end of ended) {
    const how = howOf(end);
    const who = end.pid === root ? `the tree ended: task ${end.task}` : `task ${end.task} ended`;
    line(`${end.code === 0 ? who : yellow(who)}${how.startsWith(";") ? "" : " "}${how}`);
    if (end.kernel !== null) line(`  ${dim("kernel")}  ${harmless(end.kernel)}`);
  }
  if (seconds !== null && ended.length < tasks)
    line(`${count(tasks - ended.length, "task")} of ${tasks} run on after ${seconds} s`);
  if (unwatched > 0) line(`${count(unwatched, "task")} could not be watched`);
}

const numbersOf = ({ pid, pid_inside: inside }: Run): string =>
  pid === null ? "" : ` as ${pid}${inside === null ? "" : `, inside ${inside},`}`;

/** The closing line of a restore. */
export function printOutcome(outcome: Outcome): void {
  printNotes(outcome.notes);
  if (outcome.failure !== null) {
    printFailure(outcome.failure);
    line(outcome.failure.left.length === 0 ? NOTHING_LEFT : "the rest was taken back");
  } else if (outcome.rehearsal !== undefined) {
    const ms = Math.round(outcome.run?.duration_ms ?? 0);
    line(
      `${green("rehearsed")}: it restores, in ${ms} ms here; the tree was discarded before it ran`,
    );
    for (const left of outcome.rehearsal.left) line(`  ${yellow("left")}    ${harmless(left)}`);
  } else if (outcome.run !== null && outcome.run.criu_exit === 0) {
    line(`restored${numbersOf(outcome.run)} in ${Math.round(outcome.run.duration_ms)} ms`);
    const { network } = outcome.run;
    if (network !== null)
      line(
        `  network ${network.tree.address} is the tree (${network.tree.device}), ${network.host.address} this machine (${network.host.device})`,
      );
  }
  if (outcome.watched !== null) printWatched(outcome.watched, outcome.run?.pid ?? null);
}
