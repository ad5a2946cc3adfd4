/** What both ways to a restore share: images and machine are looked at, and a watcher is there before CRIU is. */
import type { Finding } from "../checks/index.ts";
import type { OwnOptions, Request } from "../criu/index.ts";
import { type Preflight, preflight } from "../plan/preflight.ts";
import { printFailure, printFindings, printSummary } from "../report/text.ts";
import { MOVED, moveAside } from "../restore/aside.ts";
import { become } from "./given.ts";
import { type Criu, hand, stepAside } from "./hand.ts";
import { startWatcher } from "./watcher.ts";

export interface Guarded {
  request: Request;
  own: OwnOptions;
  /** The words that the request was read from. */
  words: readonly string[];
  /** CRIU runs action scripts. */
  scripts: (version: string | undefined) => boolean;
  /** An answer to a finding that CRIU would not take from its command line. */
  overridden: (option: string) => boolean;
  /** The process of a container runtime that asks. */
  runtime: number | undefined;
}

/** Prepare the restore and become CRIU; or have `refuse` say the block that `print` prints. */
export async function guard(
  criu: Criu,
  { request, own, words, scripts, overridden, runtime }: Guarded,
  refuse: (print: () => void) => number,
): Promise<number> {
  if (request.stream) return stepAside(criu, "--stream: the images are not here");
  if (request.lazyPages) return stepAside(criu, "--lazy-pages: the memory is not here");
  const result = await preflight(request, own);
  if (!result.ok) return stepAside(criu, `${result.fault.file}: ${result.fault.problem}`);
  const { checkpoint, plan, criu: real } = result.preflight;
  if (!checkpoint.files.has("inventory.img"))
    return stepAside(criu, `${checkpoint.dir} holds no images`);

  moveAside(checkpoint, () => become("/proc/self/exe", criu.given, [], [`${MOVED}=1`]));
  const unanswered = [
    ...plan.unanswered,
    ...result.preflight.findings.filter(
      ({ severity, remedy }) =>
        severity === "blocker" &&
        // A runtime hands CRIU the images as a descriptor: others cannot be put in their place.
        ((remedy.kind === "edit" && runtime) ||
          (remedy.kind === "option" &&
            plan.options.includes(remedy.option) &&
            overridden(remedy.option))),
    ),
  ];
  if (unanswered.length > 0) return refuse(() => printRefusal(result.preflight, unanswered));

  const watcher = startWatcher({
    words: [...plan.options, ...words],
    plan: runtime ? { ...plan, edits: [] } : plan,
    own,
    gate: scripts(real?.version),
    runtime,
    pid: process.pid,
  });
  if (!watcher.ok)
    return refuse(() =>
      printFailure({ line: watcher.problem, explanation: undefined, left: watcher.left }),
    );
  const gate = watcher.script === undefined ? [] : ["--action-script", watcher.script];
  const { images } = watcher;
  const instead =
    images === undefined ? [] : [`--images-dir=${images}`, `--work-dir=${request.workDir}`];
  return hand(criu, [...plan.options, ...gate], instead);
}

function printRefusal(of: Preflight, unanswered: Finding[]): void {
  printFindings(unanswered);
  printSummary({
    ...of,
    plan: { ...of.plan, outcome: "blocked", repairs: [], edits: [], options: [] },
  });
}
