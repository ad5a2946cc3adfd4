/** Holds every message of the images against the rules for its kind. */
import type { Checkpoint, Message } from "../../image/index.ts";
import { type Rule, rules } from "./rules.ts";

/** A value that no dump writes. */
export interface Forged {
  file: string;
  /** The entry's own number, where it has one. */
  id: number | undefined;
  /** reg_file_entry.flags … */
  field: string;
  value: unknown;
  rule: Pick<Rule, "written" | "acts">;
}

/** What of a message is looked at: its own fields, and the fields that hold messages with something to look at. */
interface Ruled {
  name: string;
  rules: readonly Rule[];
  nested: { name: string; of: Ruled }[];
}

const byMessage = new Map<Message<any>, readonly Rule[]>(rules);

const ruled = new Map<Message<any>, Ruled>();

/** A message that nests itself is met while it is made. */
function ruledOf(message: Message<any>): Ruled {
  const cached = ruled.get(message);
  if (cached !== undefined) return cached;
  const made: Ruled = { name: message.name, rules: byMessage.get(message) ?? [], nested: [] };
  ruled.set(message, made);
  for (const [name, { kind }] of Object.entries(message.fields as Record<string, { kind: any }>)) {
    const nested = typeof kind === "function" ? kind() : kind;
    if (typeof nested === "string") continue;
    const of = ruledOf(nested);
    if (of === made || of.rules.length > 0 || of.nested.length > 0) made.nested.push({ name, of });
  }
  return made;
}

const listOf = (value: unknown): readonly any[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Every forged value of a checkpoint, in the order of its files. */
export function* forgedValues(checkpoint: Checkpoint): Generator<Forged> {
  /** Of forked tasks the same messages are the same objects. */
  const seen = new Set<unknown>();
  function* inMessage(
    file: string,
    id: number | undefined,
    of: Ruled,
    value: any,
  ): Generator<Forged> {
    if (seen.has(value)) return;
    seen.add(value);
    for (const rule of of.rules)
      for (const each of listOf(value[rule.field]))
        if (!rule.holds(each, value))
          yield { file, id, field: `${of.name}.${rule.field}`, value: each, rule };
    for (const { name, of: nested } of of.nested)
      for (const each of listOf(value[name])) yield* inMessage(file, id, nested, each);
  }
  for (const file of checkpoint.files)
    for (const { of, value } of checkpoint.messages(file)) {
      const kind = ruledOf(of);
      if (kind.rules.length === 0 && kind.nested.length === 0) break;
      yield* inMessage(file, value.id, kind, value);
    }
}
