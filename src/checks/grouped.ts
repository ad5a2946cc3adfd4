/**
 * One cause is one finding: what is the same but for the task that it was found for is told once, of all of them. And of
 * one kind so many are kept: images of a megabyte can have tens of thousands, each of which takes kilobytes to tell.
 */
import { hashOf } from "../sys/text.ts";
import type { Finding } from "./finding.ts";

/** Of one kind; of those beyond that their number, in `more` of the last. */
const MOST = 1000;
/** Of those that recriu answers each by itself, which it has to know for that: what is beyond is left to a person. */
const MOST_ANSWERED = 10_000;

/** A finding that is kept, and what others of the same cause add to it. */
interface Cause {
  readonly first: Finding;
  readonly tasks: Set<number | null>;
  readonly subjects: Set<string>;
  readonly others: Finding["remedy"][];
}

interface Kind {
  last: Cause;
  kept: number;
  more: number;
}

/** Takes findings one by one, so that no more than it keeps are in memory. */
export class Gathered {
  readonly #causes = new Map<unknown, Cause>();
  readonly #kinds = new Map<string, Kind>();
  /** Hashes of the causes that are only counted. */
  readonly #counted = new Set<number | bigint>();

  add(finding: Finding): void {
    const key = finding.task === null ? finding : keyOf(finding);
    const cause = this.#causes.get(key);
    if (cause !== undefined) {
      cause.tasks.add(finding.task);
      cause.subjects.add(finding.subject);
      if (finding.remedy.kind === "edit") cause.others.push(finding.remedy);
      return;
    }
    const name = kindOf(finding);
    const kind = this.#kinds.get(name);
    const answered = isAnsweredEach(finding);
    if (kind !== undefined && kind.kept >= (answered ? MOST_ANSWERED : MOST)) {
      if (answered) this.add(leftToAPerson(finding));
      else if (typeof key !== "string" || this.#isNew(key)) kind.more += 1;
      return;
    }
    const { task, subject } = finding;
    const last = {
      first: finding,
      tasks: new Set([task]),
      subjects: new Set([subject]),
      others: [],
    };
    this.#causes.set(key, last);
    this.#kinds.set(name, { last, kept: (kind?.kept ?? 0) + 1, more: 0 });
  }

  #isNew(key: string): boolean {
    const { size } = this.#counted;
    return this.#counted.add(hashOf(key)).size > size;
  }

  /** In the order in which each was found first. */
  get findings(): Finding[] {
    const more = new Map([...this.#kinds.values()].map((kind) => [kind.last, kind.more]));
    return [...this.#causes.values()].map((cause) => {
      const finding = joined(cause);
      return more.get(cause) ? { ...finding, more: more.get(cause)! } : finding;
    });
  }
}

/** How many there are, of findings or effects, with those that are only counted. */
export const countOf = (told: readonly { readonly more?: number }[]): number =>
  told.reduce((sum, { more = 0 }) => sum + 1 + more, 0);

/** What decides how the plan takes a finding: of the same kind one is answered as the other, or is not. */
function kindOf({ id, severity, isolate, apart, remedy }: Finding): string {
  const { kind } = remedy;
  const by =
    kind === "option"
      ? remedy.automatic && remedy.option
      : kind === "variable"
        ? remedy.variable
        : (kind === "host" || kind === "human") && remedy.setting;
  return JSON.stringify([id, severity, isolate, apart, kind, by]);
}

const isAnsweredEach = ({ remedy: { kind } }: Finding): boolean =>
  kind === "repair" || kind === "edit";

const leftToAPerson = (finding: Finding): Finding => ({
  ...finding,
  remedy: {
    kind: "human",
    text: `${finding.remedy.text} (recriu does that ${MOST_ANSWERED} times, no more)`,
    command: finding.remedy.command,
  },
});

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

function joined({ first, tasks, subjects, others }: Cause): Finding {
  const { remedy, subject, message, task } = first;
  if (others.length === 0 && tasks.size === 1 && subjects.size === 1) return first;
  const edits = [remedy, ...others].flatMap((each) => (each.kind === "edit" ? each.edits : []));
  return {
    ...first,
    tasks: [...tasks].map(Number),
    subject: andMore(subject, subjects.size),
    // Where its first number stands for all of them, it says so.
    message: who.test(subject)
      ? ofSeveral(message, subject, subjects.size)
      : ofSeveral(message, `task ${task}`, tasks.size),
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
