/** A request to restore that waits on the socket of `criu swrk`. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { parseConfig } from "../criu/config.ts";
import { configProblem, configText, requestFrom, requestOptions } from "../criu/index.ts";
import {
  fieldsBeyond,
  overridden,
  restoreRefusal,
  rpcDefaults,
  rpcWords,
  withConfigFile,
} from "../criu/rpc.ts";
import type { RpcOptions } from "../criu/rpc-messages.ts";
import { shownElsewhere } from "../host/mount-places.ts";
import { unseen } from "../restore/prepare.ts";
import { appendToLog } from "../report/log-file.ts";
import { reasonBlock } from "../report/reasons.ts";
import { harmless, line } from "../report/terminal.ts";
import { answerMessage } from "../sys/messages.ts";
import { guard, type Refusal } from "./guard.ts";
import { type Criu, stepAside } from "./hand.ts";
import { inject } from "./inject.ts";

interface Waiting {
  /** The socket, and the process at its other end. */
  fd: number;
  client: number;
  /** The request, as it waits there. */
  message: Uint8Array;
  opts: RpcOptions;
  /** Options on CRIU's own command line. */
  words: readonly string[];
}

/** Prepare the restore and become CRIU. Returns only where recriu refuses. */
export async function guardRequest(
  criu: Criu,
  { fd, client, message, opts, words: called }: Waiting,
): Promise<number> {
  const config = configText(opts.config_file);
  const refuse = ({ cause, print, errno }: Refusal) => {
    const block = reasonBlock({ by: "criu, for a runtime", images, log: logFile, cause }, () => {
      for (const note of criu.notes) line(harmless(note));
      print();
    });
    // The runtime looks into the log as soon as it has its answer.
    appendToLog(logFile, block);
    answerMessage(fd, restoreRefusal(block, errno));
    return 1;
  };
  let logFile: string | undefined;
  let images = "";
  const stepAsideOr = (why: string) => {
    const come = unseen(why);
    if (come.kind === "aside") return stepAside(criu, why);
    const cause = come.problem;
    return refuse({ cause, print: () => line(`recriu: ${harmless(cause)}`) });
  };
  const unread = opts.config_file === undefined ? undefined : configProblem(opts.config_file);
  if (unread !== undefined) return stepAsideOr(unread);
  const over = parseConfig(config);
  if (!over.ok) return stepAsideOr(`${opts.config_file} is no configuration file`);
  // CRIU refuses it before it does anything, unless the file names another log: so nothing is written there.
  if (opts.log_file?.includes("/") && !namesLog(over.words))
    return stepAsideOr(`the log ${opts.log_file} is in a directory`);
  const lasting = opts.root === undefined ? opts : { ...opts, root: lastingPath(opts.root) };
  const asked = [...rpcWords(lasting, (n) => directoryOf(client, n)), ...over.words];
  // What a runtime sets to CRIU's default is no word of a user's, but goes over configuration files.
  const spoken = requestFrom([...called, ...asked], process.env, requestOptions);
  const words = [...called, ...rpcDefaults(opts), ...asked];
  const understood = requestFrom(words, process.env, requestOptions);
  if (!understood.ok || !spoken.ok) return stepAsideOr("the request is not understood");
  const { settings } = understood;
  const { explicit, manageCgroups } = spoken.request;
  const request = {
    ...understood.request,
    explicit,
    beyond: [...understood.request.beyond, ...fieldsBeyond(message)],
    // CRIU becomes it once the tree runs, detached though it is.
    execCmd: opts.exec_cmd.length > 0 ? opts.exec_cmd : undefined,
    manageCgroups: { ...understood.request.manageCgroups, explicit: manageCgroups.explicit },
  };
  const guarded = {
    request,
    settings,
    words,
    runtime: {
      settles: (option: string) => overridden(opts, option),
      config,
      rename: (file: string) => inject(fd, client, withConfigFile(message, file)),
    },
  };
  ({ logFile, imagesDir: images } = request);
  return guard(criu, guarded, refuse);
}

/** The container's root by a path that is there when somebody reads it; else the one that the runtime has mounted for CRIU. */
function lastingPath(root: string): string {
  try {
    const found = shownElsewhere(readFileSync("/proc/self/mountinfo", "utf8"), root);
    if (found === undefined) return root;
    const [there, here] = [statSync(root), statSync(found)];
    return there.ino === here.ino && there.dev === here.dev ? found : root;
  } catch {
    return root;
  }
}

/** Whether words of a configuration file say where the log goes. */
function namesLog(words: readonly string[]): boolean {
  const alone = requestFrom(["--no-default-config", ...words], {}, requestOptions);
  return alone.ok && alone.request.explicit.has("log-file");
}

/** The directory behind a descriptor of the client, by its name where that leads there from here. */
function directoryOf(client: number, fd: number): string {
  const handle = `/proc/${client}/fd/${fd}`;
  try {
    const name = realpathSync.native(handle);
    const [there, here] = [statSync(handle), statSync(name)];
    return there.ino === here.ino && there.dev === here.dev ? name : handle;
  } catch {
    return handle;
  }
}
