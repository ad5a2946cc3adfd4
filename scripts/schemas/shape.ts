/** Shapes of JSON documents: each is a piece of JSON Schema, and the type of what it allows, so that it is held against the code's own. */

export interface Shape<T> {
  readonly schema: object;
  /** Never there: it makes a shape of one type no shape of another, wider or narrower. */
  readonly of?: (value: T) => T;
}
type Of<S> = S extends Shape<infer T> ? T : never;

interface Optional<T> extends Shape<T> {
  readonly optional: true;
}
type Shapes = Readonly<Record<string, Shape<any>>>;
/** Of a member that may be missing: it is one of the type's all the same, so that none is forgotten. */
interface Maybe<T> {
  readonly maybe: T;
}
type ObjectOf<P extends Shapes> = {
  readonly [K in keyof P]: P[K] extends Optional<infer T> ? Maybe<T> : Of<P[K]>;
};

/** A type as JSON has it: nothing of it can be changed, and what is undefined is left out. */
export type Plain<T> = T extends string | number | boolean | null
  ? T
  : T extends readonly (infer I)[]
    ? readonly Plain<I>[]
    : {
        readonly [K in keyof T]-?: undefined extends T[K]
          ? Maybe<Plain<Exclude<T[K], undefined>>>
          : Plain<T[K]>;
      };

const described = (schema: object, description: string | undefined): { schema: object } => ({
  schema: description === undefined ? schema : { description, ...schema },
});

export const text = (what?: string): Shape<string> => described({ type: "string" }, what);
export const integer = (what?: string): Shape<number> => described({ type: "integer" }, what);
export const number = (what?: string): Shape<number> => described({ type: "number" }, what);
export const flag = (what?: string): Shape<boolean> => described({ type: "boolean" }, what);
export const nothing: Shape<null> = { schema: { type: "null" } };
export const oneOf = <const T extends string | number>(
  values: readonly T[],
  what?: string,
): Shape<T> => described(values.length === 1 ? { const: values[0] } : { enum: values }, what);
export const either = <const S extends readonly Shape<any>[]>(
  ...shapes: S
): Shape<Of<S[number]>> => ({
  schema: { anyOf: shapes.map(({ schema }) => schema) },
});
export const orNull = <T>(shape: Shape<T>, what?: string): Shape<T | null> =>
  described({ anyOf: [shape.schema, { type: "null" }] }, what);
export const list = <T>(of: Shape<T>, what?: string): Shape<readonly T[]> =>
  described({ type: "array", items: of.schema }, what);
export const byName = <T>(of: Shape<T>, what?: string): Shape<Readonly<Record<string, T>>> =>
  described({ type: "object", additionalProperties: of.schema }, what);
/** Of an object: it may be missing. */
export const maybe = <T>(of: Shape<T>): Optional<T> => ({ ...of, optional: true });

/** An object with these members and no others. */
export function object<const P extends Shapes>(members: P, what?: string): Shape<ObjectOf<P>> {
  const names = Object.keys(members);
  const schema = {
    type: "object",
    required: names.filter((name) => !("optional" in members[name]!)),
    additionalProperties: false,
    properties: Object.fromEntries(names.map((name) => [name, members[name]!.schema])),
  };
  return described(schema, what);
}
