/** Files that only signal: eventfd(2), signalfd(2), pidfd_open(2). */
import { type Compare, hex } from "./file.ts";

/** CRIU makes an eventfd by a call that takes 32 bits; the rest is added at the gate (restore/mend-files.ts). */
export const GIVEN_BY_CRIU = 0xffffffffn;

/** Numbers of fdinfo are hexadecimal, with blanks before. */
export const fromHex = (text: string | undefined): bigint | undefined =>
  text === undefined || !/^[0-9a-f]+$/.test(text) ? undefined : BigInt(`0x${text}`);

export const eventfd: Compare<"efd"> = ({ counter }, file) => {
  if (!file.subject.live.stopped) return file.leftOut("counters, as the tree runs");
  const now = fromHex(file.field("eventfd-count"));
  const cut = counter > GIVEN_BY_CRIU && now === (counter & GIVEN_BY_CRIU);
  file.same("eventfd counter", counter, now, cut && file.subject.early ? "tolerated" : undefined);
};

export const signalfd: Compare<"sgfd"> = ({ sigmask }, file) => {
  const now = fromHex(file.field("sigmask"));
  file.same("signalfd mask", hex(sigmask), now === undefined ? now : hex(now));
};

/** A process that was gone is -1, to CRIU and to the kernel. */
export const pidfd: Compare<"pidfd"> = ({ nspid }, file) => {
  const now = file.field("NSpid")?.split(/\s+/).pop() ?? file.field("Pid");
  // The process may end, and then it shows so.
  const ended = now === "-1" && !file.subject.live.stopped ? "changed" : undefined;
  file.same("process", nspid, now, ended);
};
