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

/** The first forged values of a checkpoint, `most` of them, in the order of its files. A million messages leave nothing behind. */
export function forgedValues(checkpoint: Checkpoint, most: number): Forged[] {
  const found: Forged[] = [];
  /** Of forked tasks the same messages are the same objects. */
  const last = new Map<Ruled, unknown>();
  const hold = (rule: Rule, value: unknown, message: any, { name }: Ruled, at: Place): void => {
    if (found.length < most && !rule.holds(value, message))
      found.push({ ...at, field: `${name}.${rule.field}`, value, rule });
  };
  const inMessage = (message: any, of: Ruled, at: Place): void => {
    if (last.get(of) === message) return;
    last.set(of, message);
    for (const rule of of.rules) {
      const field = message[rule.field];
      if (Array.isArray(field)) for (const value of field) hold(rule, value, message, of, at);
      else if (field !== undefined) hold(rule, field, message, of, at);
    }
    for (const { name, of: nested } of of.nested) {
      const field = message[name];
      if (Array.isArray(field)) for (const each of field) inMessage(each, nested, at);
      else if (field !== undefined) inMessage(field, nested, at);
    }
  };
  checkpoint.messages(
    (value, of, file) => {
      inMessage(value, ruledOf(of), { file, id: value.id });
      return found.length < most;
    },
    (of) => {
      const { rules: own, nested } = ruledOf(of);
      return own.length > 0 || nested.length > 0;
    },
  );
  return found;
}

type Place = Pick<Forged, "file" | "id">;
