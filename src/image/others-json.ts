/** JSON that others wrote, as plain values: what is of another kind than expected is as if it were not there. */
export type Json = Readonly<Record<string, unknown>>;

export const asObject = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
export const asList = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map((each) => asObject(each)) : [];
export const asString = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

export function parsedObject(json: string | undefined): Json {
  try {
    return asObject(JSON.parse(json ?? ""));
  } catch {
    return {};
  }
}
