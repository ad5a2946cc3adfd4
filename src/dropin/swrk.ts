/**
 * `criu swrk FD`: a container runtime or libcriu sends its requests over a SOCK_SEQPACKET socket. The first one is
 * looked at and left where it is; when it asks for a restore, that is prepared before CRIU reads it.
 */
import { parseWords } from "../criu/getopt.ts";
import { restoreRequest } from "../criu/rpc.ts";
import { peekMessage, peerOf } from "../sys/messages.ts";
import { type Criu, hand } from "./hand.ts";

/** Prepare what the first request asks for, and become CRIU. Returns only where recriu refuses. */
export async function guardSwrk(criu: Criu, words: readonly string[]): Promise<number> {
  const parsed = parseWords(words);
  const fd = parsed.ok ? Number(parsed.operands[0]) : Number.NaN;
  const client = Number.isInteger(fd) ? peerOf(fd) : undefined;
  if (!parsed.ok) {
    const { mustBeSeen } = await import("../criu/settings.ts");
    const { requestFrom } = await import("../criu/understand.ts");
    const asked = requestFrom([], process.env, []);
    const { stepBeyond } = await import("./beyond.ts");
    return stepBeyond(
      criu,
      words,
      asked.ok ? mustBeSeen(asked.settings) : asked.problem,
      parsed.problem,
      false,
    );
  }
  if (client === undefined) return hand(criu);
  const message = peekMessage(fd);
  if (typeof message === "number") return hand(criu);
  const opts = restoreRequest(message);
  if (opts === undefined) return hand(criu);
  // Only a restore needs the rest of recriu.
  const { guardRequest } = await import("./request.ts");
  return guardRequest(criu, { fd, client, message, opts, words: parsed.optionWords });
}
