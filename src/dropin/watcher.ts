/**
 * The watcher: what of recriu outlives the step into CRIU's place. It makes the repairs and keeps their journal, opens
 * the gate that CRIU's action script asks at, and when CRIU has failed takes everything back and explains.
 *
 * It is the same binary, started by a shell that ends at once: so it is no child that CRIU or the caller could
 * wait for. It ends when the tree runs, or with CRIU.
 */
import { closeSync, readFileSync } from "node:fs";
import type { Edit, Leftover, Repair } from "../checks/index.ts";
import { criuEnvironment } from "../criu/environment.ts";
import type { Settings } from "../criu/index.ts";
import type { Ready } from "../restore/prepare.ts";
import { pipe } from "../sys/files.ts";
import { writeAll } from "../sys/own-file.ts";
import { cgroupsOf } from "./cgroups.ts";
import { WATCHER } from "./names.ts";

/** Its descriptors. */
export const ORDER = 3;
export const ANSWER = 4;

export interface Order {
  /** CRIU, which does not run yet: the process that gives the order. */
  pid: number;
  /** The words of `criu restore` that ask for what CRIU will do. */
  words: readonly string[];
  plan: { repairs: readonly Repair[]; edits: readonly Edit[]; leftovers: readonly Leftover[] };
  settings: Pick<Settings, "verify" | "schedPrio">;
  /** CRIU will run the gate's script. */
  gate: boolean;
  /** The text of a configuration file that the gate's script is to be added to; undefined: none is wanted. */
  config?: string;
  /** What the log is to say beside the verdict. */
  notes: readonly string[];
  /** The container runtime that asks: CRIU's stderr is the container's then, as are its cgroups. */
  runtime: number | undefined;
}

/**
 * `script` is the gate's, `config` a configuration file that names it; undefined without a gate. `images`: where the
 * edited images are; undefined: nothing is edited.
 */
export type Answer =
  | {
      ok: true;
      script: string | undefined;
      config: string | undefined;
      images: string | undefined;
    }
  | { ok: false; problem: string; left: string[] };

/** Start a watcher for a restore that is ready. Once it has answered, this process may become CRIU. */
export function startWatcher(
  { preflight: { plan, settings }, gate }: Ready,
  { words, ...asked }: Pick<Order, "words" | "config" | "notes" | "runtime">,
): Answer {
  const { options, repairs, edits, leftovers } = plan;
  const { verify, schedPrio } = settings;
  const order: Order = {
    ...asked,
    words: [...options, ...words],
    plan: { repairs, edits, leftovers },
    settings: { verify, schedPrio },
    gate,
    pid: process.pid,
  };
  const orders = pipe();
  const answers = pipe();
  if (typeof orders === "number" || typeof answers === "number")
    return { ok: false, problem: "no pipe can be made", left: [] };
  const { runtime } = asked;
  // What the shell itself says of the place where it is started is dropped.
  const stderr = runtime === undefined ? "2>&5 5>&-" : "5>&-";
  const cgroups = runtime === undefined ? [] : cgroupsOf(runtime);
  const script = `for cgroup; do echo $$ >"$cgroup"; done; "$0" ${WATCHER} ${stderr} &`;
  const started = Bun.spawnSync(["/bin/sh", "-c", script, `/proc/${process.pid}/exe`, ...cgroups], {
    env: criuEnvironment(process.env),
    stdio: ["ignore", "ignore", "ignore", orders[0], answers[1], 2],
  });
  closeSync(orders[0]);
  closeSync(answers[1]);
  try {
    if (started.exitCode === 0) writeAll(orders[1], Buffer.from(JSON.stringify(order)));
  } catch {
    // It has ended, and answers nothing.
  }
  closeSync(orders[1]);
  const text = readFileSync(answers[0], "utf8");
  closeSync(answers[0]);
  return text === ""
    ? { ok: false, problem: "recriu's watcher cannot be started", left: [] }
    : (JSON.parse(text) as Answer);
}
