/**
 * recriu under the name of criu: whatever CRIU is asked for, the real one does in this very process. A restore is made
 * safe before.
 */
import { findCriu } from "../criu/find.ts";
import { mustBeSeen, readSettingsFile, resolveSettings } from "../criu/settings.ts";
import { inheritedExec } from "./exec.ts";
import { hand, refuse, say } from "./hand.ts";

/** Do what `criu WORDS…` does. Returns, with the exit code, only where recriu refuses. */
export async function dropin(words: readonly string[]): Promise<number> {
  const exec = inheritedExec();
  const { text, problem, ignored } = readSettingsFile();
  const settled =
    problem === undefined
      ? resolveSettings([], process.env, text)
      : { ok: false as const, problem };
  if (!settled.ok) return refuse(settled.problem);
  const found = findCriu(settled.settings.criu, process.env);
  if (!found.ok) {
    const by = settled.settings.from.criu;
    return refuse(`the real CRIU is not found: ${found.problem}${by ? ` (named by ${by})` : ""}`);
  }
  const notes = [...(ignored === undefined ? [] : [ignored]), ...(found.passed ?? [])];
  const criu = { path: found.path, exec, notes };
  const tell = async () => {
    for (const note of notes) await say(`recriu: ${note}`);
  };
  // getopt tells which option a word belongs to; without it there is nothing to say.
  if (!words.some((word) => word === "restore" || word === "swrk")) {
    await tell();
    return hand(criu);
  }
  const { commandOf } = await import("../criu/getopt.ts");
  const posixlyCorrect = process.env.POSIXLY_CORRECT !== undefined;
  const { optionOf } = await import("../criu/beyond-table.ts");
  const beyond = (typed: string) => optionOf(found.path, typed);
  const asked = commandOf(words, { posixlyCorrect, beyond });
  if (asked === undefined) {
    await tell();
    const { stepBeyond } = await import("./beyond.ts");
    return stepBeyond(criu, words, mustBeSeen(settled.settings));
  }
  // A runtime's CRIU has the container's stderr: it is told in the log.
  if (asked.command === "swrk") return (await import("./swrk.ts")).guardSwrk(criu, asked.words);
  await tell();
  if (asked.command === "restore")
    return (await import("./restore.ts")).guardRestore(criu, asked.words);
  return hand(criu);
}
