/**
 * `criu swrk FD`: a container runtime or libcriu sends its requests over a SOCK_SEQPACKET socket. The first one is
 * looked at and left where it is; when it asks for a restore, that is prepared before CRIU reads it.
 */
import { realpathSync, statSync } from "node:fs";
import { parseConfig, readConfigFile } from "../criu/config.ts";
import { compareVersions, parseWords, requestFrom } from "../criu/index.ts";
import { overridden, restoreRefusal, restoreRequest, rpcWords } from "../criu/rpc.ts";
import { captured } from "../report/terminal.ts";
import { answerMessage, peekMessage, peerOf } from "../sys/sockets.ts";
import { guard } from "./guard.ts";
import { type Criu, hand, stepAside } from "./hand.ts";
import { appendToLog } from "./log.ts";

/** Prepare what the first request asks for, and become CRIU. Returns only where recriu refuses. */
export async function guardSwrk(criu: Criu, words: readonly string[]): Promise<number> {
  const parsed = parseWords(words);
  const fd = parsed.ok ? Number(parsed.operands[0]) : Number.NaN;
  const client = Number.isInteger(fd) ? peerOf(fd) : undefined;
  if (!parsed.ok || client === undefined) return hand(criu);
  const message = peekMessage(fd);
  const opts = typeof message === "number" ? undefined : restoreRequest(message);
  if (opts === undefined) return hand(criu);

  const over = configWords(opts.config_file);
  if (over === undefined) return stepAside(criu, `${opts.config_file} is no configuration file`);
  const asked = [...parsed.optionWords, ...rpcWords(opts, (n) => directoryOf(client, n)), ...over];
  const understood = requestFrom(asked, process.env, []);
  if (!understood.ok) return stepAside(criu, understood.problem);
  const { request, own } = understood;
  const guarded = {
    request,
    own,
    words: asked,
    // An older CRIU runs no action scripts beside RPC's notifications, and some stop at one.
    scripts: (version: string | undefined) => compareVersions(version ?? "0", "3.19") >= 0,
    overridden: (option: string) => overridden(opts, option),
    runtime: client,
  };
  return guard(criu, guarded, (print) => {
    const block = captured(print);
    answerMessage(fd, restoreRefusal(block));
    appendToLog(request.logFile, block);
    return 1;
  });
}

/** A configuration file that a request names goes over the request itself; one that is not there says nothing. */
function configWords(path: string | undefined): readonly string[] | undefined {
  const text = path === undefined ? undefined : readConfigFile(path);
  if (text === undefined) return [];
  const parsed = parseConfig(text);
  return parsed.ok ? parsed.words : undefined;
}

/** The directory behind a descriptor of the client, by its name where that leads there from here. */
function directoryOf(client: number, fd: number): string {
  const handle = `/proc/${client}/fd/${fd}`;
  try {
    const name = realpathSync(handle);
    const [there, here] = [statSync(handle), statSync(name)];
    return there.ino === here.ino && there.dev === here.dev ? name : handle;
  } catch {
    return handle;
  }
}
