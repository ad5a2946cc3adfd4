/** All that a person has to type before a restore, as one script to read and run. */
import { countOf } from "../checks/grouped.ts";
import type { Finding } from "../checks/index.ts";
import { again, callsRestore, QUOTING } from "../checks/again.ts";
import type { Preflight } from "../plan/preflight.ts";
import { sh, type ShellCommand, typedOption } from "../sys/shell.ts";
import { harmless } from "./terminal.ts";

/**
 * POSIX sh. The commands stand in the order of the findings, under comments that say what each is for; the options that
 * are to be added stand in the restore at its end. A command that is itself that restore, under another program or with
 * another descriptor, stands in its place. What no command does as it stands is said, and ends the script before.
 */
export function scriptOf(preflight: Preflight): string {
  const { plan, images } = preflight;
  const steps = plan.unanswered.map((finding) => ({ finding, does: whatDoes(finding) }));
  const of = (kind: Does["kind"]) =>
    steps.flatMap(({ does }) => (does.kind === kind ? [does.typed] : []));
  const restores = of("restore");
  const options = of("option");
  // What stands in another program's quotes takes no more words at its end.
  const closed = options.length > 0 && restores.some((typed) => typed.startsWith(QUOTING));
  const all = countOf(plan.unanswered);
  const byHand =
    of("person").length + Math.max(0, restores.length - 1) + Number(closed) + all - steps.length;
  const restore = restores.at(-1) ?? sh`recriu restore ${again(preflight)}`;
  return [
    "#!/bin/sh",
    `# Before ${harmless(images)} can be restored: ${all} to do. Read it before you run it.`,
    "set -e",
    ...steps.map(({ finding, does }, index) => `\n# ${index + 1}. ${stepOf(finding, does)}`),
    "",
    ...(byHand === 0
      ? []
      : [sh`echo ${`to be done by hand, as the comments say: ${byHand}`} >&2`, "exit 3", ""]),
    [restore, ...options].join(" "),
  ].join("\n");
}

/** The command that prints it. */
export const scriptAsked = (preflight: Preflight): ShellCommand =>
  sh`recriu preflight ${[...again(preflight), "--script"]}`;

/** What a finding's remedy is in a script; `typed`: how it is shown to a person, if it is. */
interface Does {
  readonly kind: "command" | "option" | "restore" | "person";
  readonly typed: string;
}

function whatDoes({ remedy }: Finding): Does {
  if (remedy.kind === "option") {
    const typed = typedOption(remedy.option);
    if (typed === null || isPlaceholder(typed)) return { kind: "person", typed: typed ?? "" };
    return { kind: "option", typed };
  }
  const typed = remedy.command ?? "";
  if (typed === "" || isPlaceholder(typed)) return { kind: "person", typed };
  return { kind: callsRestore(typed) ? "restore" : "command", typed };
}

/** What stands for something that only a person knows, as the checks write it (test/report/findings.test.ts reads them). */
const placeholder =
  /(?:^|[\s/=:[<>'])(?:NAME|HOST|PORT|PATH|PID|DEVICE|RDEV|DEV|KEY|NS|DIR|FILE|PROFILE|POD|PREVIOUS|CHECKPOINT|OLDER|OF|THE|N)(?=$|[\s/\]:'])/;
export const isPlaceholder = (word: string): boolean => placeholder.test(word);

function stepOf({ more, ...finding }: Finding, does: Does): string {
  const step = doneBy(finding, does);
  if (more === undefined) return step;
  return `${step}\n# ${finding.id}: ${more} more, which another preflight lists once these are done`;
}

function doneBy({ id, message, remedy }: Finding, { kind, typed }: Does): string {
  const said = `${id}: ${harmless(message)}\n#    ${harmless(remedy.text)}`;
  if (kind === "command") return `${said}\n${typed}`;
  if (kind === "option") return `${said}\n#    (the option is added below)`;
  if (kind === "restore") return `${said}\n#    (this is the restore then)\n#    ${typed}`;
  return typed === "" ? said : `${said}\n#    ${typed}`;
}
