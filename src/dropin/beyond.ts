/** Words that recriu does not understand. An ordinary CRIU refuses them itself; one of a later release may know them. */
import { parseWords } from "../criu/getopt.ts";
import { identify, isBeyondKnown, NEWEST_KNOWN } from "../criu/version.ts";
import { type Criu, hand, refuse, say, stepAside } from "./hand.ts";

/**
 * Become CRIU, and say so where that restores what recriu has not looked at; what must be looked at it does not get. `problem`
 * is what getopt would say, unless the words are to be asked. `aloud`: stderr is the caller's.
 */
export async function stepBeyond(
  criu: Criu,
  words: readonly string[],
  demand: string | undefined,
  problem?: string,
  aloud = true,
): Promise<number> {
  const version = (await identify(criu.path)).version;
  if (version !== undefined && !isBeyondKnown(version)) return hand(criu);
  const posixlyCorrect = process.env.POSIXLY_CORRECT !== undefined;
  const parsed = parseWords(words, { posixlyCorrect });
  const why = problem ?? (parsed.ok ? "no command is found in it" : parsed.problem);
  const who = `CRIU ${version ?? "of unknown version"} (known here: up to ${NEWEST_KNOWN})`;
  if (demand !== undefined) return refuse(`${demand}, and not looked at: ${why}; ${who}`);
  if (!aloud) return stepAside(criu, why);
  await say(`recriu steps aside, nothing is checked: ${why}; ${who}`);
  return hand(criu);
}
