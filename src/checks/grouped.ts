/** One cause is one finding: what is the same but for the task that it was found for is told once, of all of them. */
import type { Finding } from "./finding.ts";

/** The findings in their order, each with those of other tasks on the same subject and with the same remedy in it. */
export function grouped(findings: readonly Finding[]): Finding[] {
  const groups = new Map<unknown, Finding[]>();
  for (const finding of findings) {
    const key = finding.task === null ? finding : keyOf(finding);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()].map(joined);
}

/** The task or thread that it is about, where that is the task itself or a thread of it. */
const who = /^(task|thread) \d+$/;

/** What CRIU says has numbers of the images in it; without its words only recriu's own tell two causes apart. */
function keyOf({ id, severity, subject, message, criu_message, remedy }: Finding): string {
  const said = criu_message?.replace(/0x[0-9a-f]+|\d+/g, "N");
  const told = said ?? message.replace(/\b(task|thread) \d+/g, "$1 N");
  const { kind, text, command } = remedy;
  const option = remedy.kind === "option" ? remedy.option : "";
  return JSON.stringify([
    id,
    severity,
    subject.replace(who, "$1"),
    told,
    kind,
    text,
    command,
    option,
  ]);
}

function joined(group: readonly Finding[]): Finding {
  const [first] = group as readonly [Finding, ...Finding[]];
  if (group.length === 1) return first;
  const tasks = [...new Set(group.map(({ task }) => task!))];
  const subjects = [...new Set(group.map(({ subject }) => subject))];
  const edits = group.flatMap(({ remedy }) => (remedy.kind === "edit" ? remedy.edits : []));
  const { remedy, subject, message } = first;
  return {
    ...first,
    tasks,
    subject: andMore(subject, subjects.length),
    // Where its first number stands for all of them, it says so.
    message: who.test(subject)
      ? ofSeveral(message, subject, subjects.length)
      : ofSeveral(message, `task ${first.task}`, tasks.length),
    remedy: remedy.kind === "edit" ? { ...remedy, edits } : remedy,
  };
}

/** What checks say of one task or thread, and what is said of several. */
const verbs = new Map([
  ["does", "do"],
  ["has", "have"],
  ["is", "are"],
  ["keeps", "keep"],
  ["waits", "wait"],
  ["was", "were"],
  ["watches", "watch"],
]);

/** A message about `named` as one about so many: where they are what the sentence is about, the verb behind them follows. */
function ofSeveral(message: string, named: string, count: number): string {
  const about = new RegExp(`(\\b(?:by|for|from|in|of|than|to) )?\\b${named}\\b(?:( )([a-z]+))?`);
  return message.replace(about, (_, before = "", space = "", word = "") => {
    const verb = count > 1 && before === "" ? (verbs.get(word) ?? word) : word;
    return `${before}${andMore(named, count)}${space}${verb}`;
  });
}

const andMore = (named: string, count: number): string =>
  count === 1 ? named : `${named} and ${count - 1} more`;
