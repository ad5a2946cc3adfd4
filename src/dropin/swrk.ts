/**
 * `criu swrk FD`: a container runtime or libcriu sends its requests over a SOCK_SEQPACKET socket. The first one is
 * looked at and left where it is; when it asks for a restore, that is prepared before CRIU reads it.
 */
import { realpathSync, statSync } from "node:fs";
import { parseConfig, readConfigFile } from "../criu/config.ts";
import { compareVersions, parseWords, requestFrom } from "../criu/index.ts";
import {
  overridden,
  restoreRefusal,
  restoreRequest,
  rpcDefaults,
  rpcWords,
  withConfigFile,
} from "../criu/rpc.ts";
import { captured } from "../report/terminal.ts";
import { answerMessage, peekMessage, peerOf } from "../sys/sockets.ts";
import { guard } from "./guard.ts";
import { type Criu, hand, stepAside } from "./hand.ts";
import { inject } from "./inject.ts";
import { appendToLog } from "./log.ts";

/** Prepare what the first request asks for, and become CRIU. Returns only where recriu refuses. */
export async function guardSwrk(criu: Criu, called: readonly string[]): Promise<number> {
  const parsed = parseWords(called);
  const fd = parsed.ok ? Number(parsed.operands[0]) : Number.NaN;
  const client = Number.isInteger(fd) ? peerOf(fd) : undefined;
  if (!parsed.ok || client === undefined) return hand(criu);
  const message = peekMessage(fd);
  if (typeof message === "number") return hand(criu);
  const opts = restoreRequest(message);
  if (opts === undefined) return hand(criu);

  const config = ended(opts.config_file === undefined ? "" : readConfigFile(opts.config_file));
  const over = parseConfig(config);
  if (!over.ok) return stepAside(criu, `${opts.config_file} is no configuration file`);
  const given = [...rpcWords(opts, (n) => directoryOf(client, n)), ...over.words];
  // What a runtime sets to CRIU's default is no word of a user's, but goes over configuration files.
  const spoken = requestFrom([...parsed.optionWords, ...given], process.env, []);
  const words = [...parsed.optionWords, ...rpcDefaults(opts), ...given];
  const understood = requestFrom(words, process.env, []);
  if (!understood.ok || !spoken.ok) return stepAside(criu, "the request is not understood");
  const { own } = understood;
  const { explicit, manageCgroups } = spoken.request;
  const request = {
    ...understood.request,
    explicit,
    manageCgroups: { ...understood.request.manageCgroups, explicit: manageCgroups.explicit },
  };
  const guarded = {
    request,
    own,
    words,
    // An older CRIU runs no action scripts beside RPC's notifications, and some stop at one.
    scripts: (version: string | undefined) => compareVersions(version ?? "0", "3.19") >= 0,
    runtime: {
      pid: client,
      settles: (option: string) => overridden(opts, option),
      config,
      rename: (file: string) => inject(fd, client, withConfigFile(message, file)),
    },
  };
  return guard(criu, guarded, (print) => {
    const block = captured(print);
    answerMessage(fd, restoreRefusal(block));
    appendToLog(request.logFile, block);
    return 1;
  });
}

/** With a newline behind its last line; a file that is not there says nothing. */
const ended = (text = ""): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

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
