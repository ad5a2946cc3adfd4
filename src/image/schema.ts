/**
 * Messages of Protocol Buffers (proto2) as tables: schemas are plain values, types are inferred from them.
 *
 * Numbers of 64 bits are bigint. Strings are bytes of the kernel and may not be UTF-8 (text.ts).
 */
import type { Bytes } from "./text.ts";

const scalars = [
  "uint32",
  "int32",
  "sint32",
  "bool",
  "enum",
  "uint64",
  "int64",
  "sint64",
  "fixed64",
  "string",
  "bytes",
] as const;
type Scalar = (typeof scalars)[number];
type ScalarValue = {
  uint32: number;
  int32: number;
  sint32: number;
  enum: number;
  bool: boolean;
  uint64: bigint;
  int64: bigint;
  sint64: bigint;
  fixed64: bigint;
  string: string;
  bytes: Bytes;
};

/** A nested message; a function where a message nests itself. */
type Nested = Message<any> | (() => Message<any>);
export type Kind = Scalar | Nested;
type Label = "required" | "optional" | "repeated";

interface Field<L extends Label = Label, K extends Kind = Kind> {
  number: number;
  label: L;
  kind: K;
}

type Fields = Record<string, Field>;

export interface Message<F extends Fields = Fields> {
  name: string;
  fields: F;
  /** Made when the message is first met: a checkpoint holds few of the kinds there are. */
  index?: Index;
}

/** A message's fields in ascending order of their numbers, and by number. */
interface Index {
  sorted: readonly Named[];
  byNumber: readonly (Named | undefined)[];
  lists: readonly string[];
  needed: readonly string[];
}

interface Named extends Field {
  name: string;
  wire: number;
}

type ValueOf<K> = K extends Scalar
  ? ScalarValue[K]
  : K extends Message<any>
    ? Infer<K>
    : K extends () => infer M
      ? Infer<M>
      : never;
type Names<F, L extends Label> = {
  [N in keyof F]: F[N] extends Field<L, any> ? N : never;
}[keyof F];
type KindOf<T> = T extends Field<any, infer K> ? K : never;

/**
 * The value of a message: required fields are there, optional ones may be absent, repeated ones are arrays. It may not be
 * changed, at any depth: what was read once is one object for all callers, and for all messages with the same bytes.
 */
export type Infer<M> =
  M extends Message<infer F>
    ? { readonly [N in Names<F, "required">]: ValueOf<KindOf<F[N]>> } & {
        readonly [N in Names<F, "optional">]?: ValueOf<KindOf<F[N]>>;
      } & {
        readonly [N in Names<F, "repeated">]: readonly ValueOf<KindOf<F[N]>>[];
      }
    : never;

export const required = <K extends Kind>(number: number, kind: K): Field<"required", K> => ({
  number,
  label: "required",
  kind,
});
export const optional = <K extends Kind>(number: number, kind: K): Field<"optional", K> => ({
  number,
  label: "optional",
  kind,
});
export const repeated = <K extends Kind>(number: number, kind: K): Field<"repeated", K> => ({
  number,
  label: "repeated",
  kind,
});

/** A message's table. */
export const message = <F extends Fields>(name: string, fields: F): Message<F> => ({
  name,
  fields,
});

/** The fields of a message, ordered for reading and writing. */
export function indexOf(schema: Message<any>): Index {
  if (schema.index !== undefined) return schema.index;
  const named = Object.entries(schema.fields as Fields).map(([name, field]) => ({
    ...field,
    name,
    wire: wireOf(field.kind),
  }));
  const labelled = (label: Label) =>
    named.filter((field) => field.label === label).map(({ name }) => name);
  schema.index = {
    sorted: named.sort((a, b) => a.number - b.number),
    byNumber: named.reduce<Named[]>((all, field) => ((all[field.number] = field), all), []),
    lists: labelled("repeated"),
    needed: labelled("required"),
  };
  return schema.index;
}

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

const wireOf = (kind: Kind): number =>
  typeof kind !== "string" || kind === "string" || kind === "bytes"
    ? LENGTH
    : kind === "fixed64"
      ? FIXED64
      : VARINT;
