/** What stands where in a pack (`recriu pack`), and the text that describes it: `checkpoint/pack.json`. */
import type { Sum } from "../image/index.ts";
import { parsedJson } from "../image/others-json.ts";

/** The top directory in the archive. */
export const TOP = "checkpoint";
/** The first member. */
export const SCRIPT = "restore.sh";
/** What is no image, as JSON; it stands before what it tells of. */
export const CONTENTS = "pack.json";

export interface PackContents {
  readonly schema: 1;
  /** Of every restore, as they were given to `pack`. */
  readonly options: readonly string[];
  /** The files below `criu/`, by name; none: the pack has no CRIU. */
  readonly criu: Readonly<Record<string, Sum>>;
}

/** A file of the CRIU that came along. */
const CRIU_FILE = /^(?:lib\/)?(?!\.{1,2}$)[\w.+-]+$/;

const isText = (value: unknown): value is string => typeof value === "string";

/** Such a text, believed in nothing; or what is wrong with it. */
export function parseContents(text: string): PackContents | string {
  let value: Partial<PackContents>;
  try {
    value = parsedJson(text) as Partial<PackContents>;
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`;
  }
  if (value?.schema !== 1) return "it is none that this recriu knows";
  const { options, criu } = value;
  // Behind a NUL, which ends a word, could stand another than is told.
  if (!Array.isArray(options) || !options.every((word) => isText(word) && !word.includes("\0")))
    return "its options are no words";
  if (typeof criu !== "object" || criu === null) return "it says nothing of CRIU";
  const odd = Object.entries(criu).find(
    ([name, sum]) =>
      !CRIU_FILE.test(name) ||
      !Number.isSafeInteger(sum?.size) ||
      sum.size < 0 ||
      !/^[0-9a-f]{64}$/.test(sum.sha256),
  );
  return odd === undefined ? (value as PackContents) : `${odd[0]} is no file of CRIU's`;
}
