/** JSON that others wrote, as plain values: what is of another kind than expected is as if it were not there. */

/** Values that any text may have; and bytes for each beyond. An empty object is two bytes, and takes sixty in memory. */
const ANY = 1 << 16;
const EACH = 6;

/** Throws where it is no JSON, and of a text that would take more memory than a real one of its size. */
export function parsedJson(text: string): unknown {
  if (marksIn(text) > ANY + text.length / EACH)
    throw new Error("it holds more values than any real one of its size");
  return JSON.parse(text);
}

/** Before each value but the first there is one of these. */
const MARKS = ["{", "[", ",", ":"];

function marksIn(text: string): number {
  if (text.length <= ANY) return 0;
  let count = 0;
  for (const mark of MARKS)
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) count += 1;
  return count;
}

export type Json = Readonly<Record<string, unknown>>;

export const asObject = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
export const asList = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map((each) => asObject(each)) : [];
export const asString = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

export function parsedObject(json: string | undefined): Json {
  try {
    return asObject(parsedJson(json ?? ""));
  } catch {
    return {};
  }
}
