/** `criu restore`. */
import { mustBeSeen } from "../criu/settings.ts";
import { requestFrom } from "../criu/understand.ts";
import { leaveLog } from "../report/log-file.ts";
import { reasonBlock } from "../report/reasons.ts";
import { guard } from "./guard.ts";
import { type Criu, hand, refuse } from "./hand.ts";

/** Prepare the restore that the words after `restore` ask for, and become CRIU. Returns only where recriu refuses. */
export async function guardRestore(criu: Criu, words: readonly string[]): Promise<number> {
  const understood = requestFrom(words, process.env, []);
  // CRIU refuses it, too, and says so in its own words; or it is asked for its help. Of recriu's settings it knows nothing.
  if (!understood.ok) {
    if (understood.inSettings === true) return refuse(understood.problem);
    if (understood.asked !== undefined) return hand(criu);
    const asked = requestFrom([], process.env, []);
    const { stepBeyond } = await import("./beyond.ts");
    return stepBeyond(
      criu,
      words,
      asked.ok ? mustBeSeen(asked.settings) : asked.problem,
      understood.problem,
    );
  }
  const { request, settings } = understood;
  return guard(criu, { request, settings, words }, ({ cause, print }) => {
    print();
    const { imagesDir: images, logFile: log } = request;
    leaveLog(log, reasonBlock({ by: "criu", images, log, cause }, print));
    return 1;
  });
}
