/** Findings and plan as a person reads them at three in the morning: what, where, why, what to do; on one screen. */
import { countOf } from "../checks/grouped.ts";
import { noneThere } from "../checks/images/no-checkpoint.ts";
import type { Criu, Finding, Repair } from "../checks/index.ts";
import { isolateDirOption, isolationOption } from "../checks/isolated.ts";
import type { Network } from "../criu/index.ts";
import type { Plan } from "../plan/index.ts";
import type { Preflight, Rejected } from "../plan/preflight.ts";
import { type ShellCommand, sh, typedOption } from "../sys/shell.ts";
import { columnsOf } from "../sys/descriptors.ts";
import { firstOfEach } from "./kinds.ts";
import { blue, bold, dim, green, harmless, line, red, yellow } from "./terminal.ts";

/** How a finding stands with the plan; in this order they are told. */
const standings = {
  blocker: red,
  solved: green,
  warning: yellow,
  info: blue,
} as const;
export type Standing = keyof typeof standings;
const order = Object.keys(standings) as Standing[];

/** More findings than these are a table: each in full takes some five lines. */
const IN_FULL = 6;
/** Findings of one kind, repairs and edits that are written out. */
const MOST = 100;

/** The findings, gravest first: each in full, or, of more than a screen holds and unless `all`, a line each. */
export function printFindings(findings: readonly Finding[], plan?: Plan, all = true): void {
  const told = findings.map((finding) => ({ finding, standing: standingOf(finding, plan) }));
  const kindOf = ({ finding, standing }: (typeof told)[number]) => `${standing}[${finding.id}]`;
  const number = (of: readonly (typeof told)[number][]) =>
    countOf(of.map(({ finding }) => finding));
  const { first, more } = firstOfEach(told, kindOf, MOST, number);
  const printed = first.sort((a, b) => order.indexOf(a.standing) - order.indexOf(b.standing));
  const inFull = all || printed.length <= IN_FULL;
  const widest = printed.reduce((most, { finding }) => Math.max(most, finding.id.length), 0);
  for (const { finding, standing } of printed)
    if (inFull) printFinding(finding, standing);
    else line(rowOf(finding, standing, widest));
  if (!inFull) line();
  for (const [kind, left] of more) line(`${kind}: ${left} more\n`);
}

/** A blocker that the plan answers is solved. */
export function standingOf(finding: Finding, plan: Plan | undefined): Standing {
  const solved =
    finding.severity === "blocker" && plan !== undefined && !plan.unanswered.includes(finding);
  return solved ? "solved" : finding.severity;
}

function rowOf({ id, message }: Finding, standing: Standing, widest: number): string {
  const before = `${standing.padEnd(7)}  ${id.padEnd(widest)}  `;
  const room = (columnsOf(2) ?? Infinity) - before.length;
  const said = harmless(message);
  const shown = said.length <= room ? said : `${said.slice(0, Math.max(0, room - 1))}…`;
  return `${standings[standing](standing.padEnd(7))}  ${before.slice(9)}${shown}`;
}

function printFinding(finding: Finding, standing: Standing): void {
  const { remedy } = finding;
  if (noneThere([finding])) {
    const typed = remedy.kind !== "human" || remedy.command === null ? "" : `: ${remedy.command}`;
    const said = `${finding.message}; ${remedy.text}`;
    return line(`${red(`blocker[${finding.id}]`)}: ${harmless(said)}${typed}`);
  }
  const row = (name: string, text: string) => line(`  ${dim(name.padEnd(9))} ${text}`);
  line(`${standings[standing](`${standing}[${finding.id}]`)}: ${bold(harmless(finding.message))}`);
  if (finding.image !== "") row("where", harmless(finding.image));
  if (finding.tasks !== undefined && finding.tasks.length > 1) row("tasks", few(finding.tasks));
  if (finding.criu_message !== null) row("criu", harmless(finding.criu_message));
  if (standing === "solved") row("solved by", `recriu: ${harmless(remedy.text)}`);
  else if (standing !== "info") row("do", harmless(remedy.text));
  const typed = remedy.kind === "option" ? typedOption(remedy.option) : remedy.command;
  if (typed !== null && standing !== "solved") row("", typed);
  if (finding.isolate !== null && remedy.kind !== "isolate" && standing !== "info")
    row(
      "or",
      `${isolationOption([finding.isolate])}: the tree ${finding.over === null ? "does not meet it in a namespace of its own" : "has the file that was taken along there, and nobody else"}`,
    );
  if (finding.apart !== null && remedy.kind !== "isolate" && standing !== "info")
    row(
      "or",
      sh`${[isolateDirOption(finding.apart.dir)]}` +
        ": the tree does not meet it in a directory of its own",
    );
  line();
}

const FEW = 8;
const few = (numbers: readonly number[]): string =>
  numbers.slice(0, FEW).join(", ") +
  (numbers.length > FEW ? ` and ${numbers.length - FEW} more` : "");

export const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;

/** What the checkpoint is, what stands in its way and what recriu will do; then the last line. */
export function printSummary(preflight: Preflight, next?: ShellCommand): void {
  const { images, checkpoint, criu, findings, plan } = preflight;
  if (noneThere(findings)) return;
  const threads = checkpoint.tasks.reduce((sum, task) => sum + task.threads.length, 0);
  const standing = (which: Standing) =>
    countOf(findings.filter((finding) => standingOf(finding, plan) === which));
  const signed = preflight.signedBy === undefined ? "" : `; signed by ${preflight.signedBy}`;
  const solved = standing("solved") === 0 ? "" : `, ${standing("solved")} solved`;
  line(
    `${harmless(images)}: ${count(checkpoint.tasks.length, "task")}, ${count(threads, "thread")}; ` +
      `${count(standing("blocker"), "blocker")}${solved}, ${count(standing("warning"), "warning")}; criu ${criu === undefined ? "not found" : (criu.version ?? "of unknown version")}${signed}`,
  );
  for (const rejected of preflight.rejected) line(`  criu    ${chosen(rejected, criu)}`);
  printPlan(plan);
  printLast(preflight, next);
}

/** Why it is not the first CRIU found. */
export const chosen = ({ path, version, blockers }: Rejected, criu: Criu | undefined): string =>
  harmless(
    `${criu?.path} ${criu?.version ?? "of unknown version"}, as ${path} ${version ?? "of unknown version"} cannot restore this here: ${blockers[0]!.message} [${[...new Set(blockers.map(({ id }) => id))].join(", ")}]`,
  );

function shownRepair(repair: Repair): string {
  const { action, root, path, mode } = repair;
  const does = { mkdir: "mkdir", fifo: "mkfifo", file: "install" }[action];
  const { aside, link } = action === "file" ? repair : {};
  const notes = [
    ...(aside === undefined ? [] : [`  (the other is kept as ${aside})`]),
    ...(link === undefined ? [] : [`  (a name more of ${link})`]),
  ];
  return `${sh`${does} ${root === "/" ? path : `${root}${path}`}`} mode ${mode.toString(8).padStart(4, "0")}${harmless(notes.join(""))}`;
}

function printPlan(plan: Plan): void {
  for (const repair of plan.repairs.slice(0, MOST)) line(`  repair  ${shownRepair(repair)}`);
  for (const { file, entry, field, from, to, why } of plan.edits.slice(0, MOST))
    line(
      `  edit    ${harmless(file)} entry ${entry} ${field}: ${harmless(String(from ?? "absent"))} -> ${harmless(String(to ?? "absent"))}  (${harmless(why)}; in a copy)`,
    );
  for (const [kind, { length }] of Object.entries({ repair: plan.repairs, edit: plan.edits }))
    if (length > MOST) line(`  ${kind.padEnd(7)} ${length - MOST} more`);
  for (const { path, from, to, stays } of plan.settings)
    line(
      `  host    ${harmless(path)}: ${from} -> ${to}  (${stays ? "stays so" : "given back when the tree runs"})`,
    );
  for (const option of plan.options) line(`  option  ${harmless(option)}`);
  if (plan.isolate.length > 0)
    line(`  isolate ${plan.isolate.join(", ")}: the tree has namespaces of its own`);
  for (const { path } of plan.dirs)
    line(`  isolate ${harmless(path)}: what the tree makes and removes there is its own`);
  for (const { path, from } of plan.over.slice(0, MOST))
    line(`  over    ${harmless(path)}: ${harmless(from)}, for the tree alone`);
  if (plan.over.length > MOST) line(`  over    ${plan.over.length - MOST} more`);
  if (plan.network !== null) line(`  network ${harmless(networkText(plan.network))}`);
  for (const variable of plan.environment) line(`  set     ${variable}`);
}

const networkText = (network: Network): string =>
  network === "own"
    ? "its own: nobody outside reaches the tree, and it reaches nobody"
    : network === "veth"
      ? "its own, with a pair to this machine: others reach it, and it reaches others, only by what you route there"
      : `that of ip netns ${network.named}`;

const verdicts: Record<Plan["outcome"], string> = {
  ready: "ready to restore",
  repairable: "can be restored once repaired",
  blocked: "blocked; nothing was touched",
  unchecked: "nothing blocks that was checked (--only); whether it can be restored was not",
};

/** Whether it can be restored, and the command to type now: of what is blocked the one that would restore it, if there is one. */
export function printLast({ plan, would }: Preflight, next: ShellCommand | undefined): void {
  const { outcome } = plan;
  const colour = { ready: green, repairable: green, blocked: red, unchecked: yellow }[outcome];
  const more =
    would !== undefined
      ? `; ${would.command} would restore it${would.isolate.includes("net") || would.dirs.length > 0 ? ", out of others' reach" : ""}`
      : next === undefined
        ? ""
        : `; next: ${next}`;
  line(`${bold(colour(verdicts[outcome]))}${more}`);
}
