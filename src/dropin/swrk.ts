/**
 * `criu swrk FD`: a container runtime or libcriu sends its requests over a SOCK_SEQPACKET socket. The first one is
 * looked at and left where it is; when it asks for a restore, that is prepared before CRIU reads it.
 */
import { parseWords } from "../criu/getopt.ts";
import { requestIn, restoreRefusal } from "../criu/rpc.ts";
import { errorText } from "../sys/errno.ts";
import { answerMessage, peekMessage, peerOf } from "../sys/messages.ts";
import { front } from "../sys/front.ts";
import { cgroupsOf } from "./cgroups.ts";
import { type Criu, hand, stepAside } from "./hand.ts";

/** Prepare what the first request asks for, and become CRIU. Returns only where recriu refuses. */
export async function guardSwrk(criu: Criu, words: readonly string[]): Promise<number> {
  const parsed = parseWords(words);
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
  // As atoi(3) reads it.
  const fd = Number.parseInt(parsed.operands[0] ?? "", 10) || 0;
  const unlooked = (why: string) => passOn(criu, fd, why);
  const client = peerOf(fd);
  if (client === undefined) return unlooked(`descriptor ${fd} is no socket of a client's`);
  const message = peekMessage(fd);
  if (typeof message === "number")
    return unlooked(`the request cannot be received: ${errorText(message)}`);
  if (message.length === 0) return hand(criu); // The client is gone.
  const request = requestIn(message);
  if (!request.ok) return unlooked(`the request is not understood: ${request.problem}`);
  const { opts, keepOpen } = request;
  if (keepOpen) return unlooked("a request that keeps the connection open: another may follow it");
  if (opts === undefined) return hand(criu);
  front?.forkAgain("cgroups", cgroupsOf(client));
  // Only a restore needs the rest of recriu.
  const { guardRequest } = await import("./request.ts");
  return guardRequest(criu, { fd, client, message, opts, words: parsed.optionWords });
}

/** CRIU takes what recriu has not seen: that is kept where `recriu last` finds it, and refused where it has to be seen. */
async function passOn(criu: Criu, fd: number, why: string): Promise<number> {
  const { unseen } = await import("../restore/prepare.ts");
  const { keepReason, reasonBlock } = await import("../report/reasons.ts");
  const reason = { by: "criu, for a runtime", images: "", log: undefined };
  const come = unseen(why);
  if (come.kind === "aside") {
    keepReason({ ...reason, cause: `what it asks was not looked at: ${why}`, text: "" });
    return stepAside(criu, why);
  }
  const block = reasonBlock({ ...reason, cause: come.problem }, () => {});
  answerMessage(fd, restoreRefusal(block, undefined));
  return 1;
}
