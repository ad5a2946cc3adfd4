/** Run the checks over a checkpoint and this host. */
import { tidying } from "../sys/garbage.ts";
import { catalogue, type CheckId } from "./catalogue.ts";
import { cgroupLeftovers } from "./cgroups/cgroup-missing.ts";
import { scratchLeftovers } from "./criu/scratch-leftovers.ts";
import { ghostLeftovers, linkRemapLeftovers } from "./files/ghost-leftovers.ts";
import { type Context, type Finding, type Leftover, type Named, named } from "./finding.ts";
import { Gathered } from "./grouped.ts";
import { alone } from "./images/no-checkpoint.ts";
import { isolated } from "./isolated.ts";
import { socketLeftovers } from "./sockets/sockets.ts";
import { heldByTheTree } from "./tree/already-running.ts";
import { pidMaxLeftovers } from "./tree/pid-namespaces.ts";

export { again } from "./again.ts";
export { catalogue } from "./catalogue.ts";
export type { Effect } from "./effects/effect.ts";
export { answersOf } from "./finding.ts";
export type {
  AnsweredBy,
  Check,
  Context,
  Criu,
  Edit,
  Finding,
  Leftover,
  MakeDirectory,
  MakeFifo,
  Named,
  Proof,
  PutFile,
  Repair,
  Setting,
} from "./finding.ts";
export type { EngineStore, Exported } from "./exported.ts";
export type { Grants, IdRange } from "./grants.ts";
export { hiddenIn, notPrivate, type PrivateDir, realOf } from "./private-dirs.ts";
export { hostNeeds } from "./sockets/network-needs.ts";
export { replacementsFor } from "./sockets/replacements.ts";
export { textOf } from "./sockets/inet-entries.ts";
export { settled } from "./settings.ts";
export { notChecked } from "./not-checked.ts";
export { optionPolicies, policyOf } from "./options.ts";
export { type HostPlace, namespacesOf } from "./paths.ts";
export { endingHolders } from "./tree/pid-in-use.ts";
export { capabilityNumber } from "./rights/capabilities.ts";
export { machineOf } from "./kernel/machine.ts";
export { type Along, directoriesAlong, filesAlong } from "./files/along.ts";

/** The findings that say the images themselves cannot be trusted (exit code 6). */
export const imageChecks: ReadonlySet<string> = new Set<CheckId>([
  "image-missing",
  "image-truncated",
  "pages-short",
  "image-parent",
  "image-version",
  "image-vmas",
  "image-altered",
  "seal-signature-wrong",
  "image-forged",
  "dump-failed",
]);

/** What has not the signature that was asked for is not looked at further, either. */
const unbelieved: ReadonlySet<string> = new Set<CheckId>(["seal-unsigned", "seal-signature-wrong"]);

const isFirst = ({ id }: Named): boolean => alone.has(id) || unbelieved.has(id);

const alreadyRunning: CheckId = "already-running";

const waiting: ReadonlySet<string> = new Set(
  catalogue.filter(({ waits }) => waits).map(({ id }) => id),
);

/** Whether all of these may end by themselves. */
export const mayEnd = (findings: readonly Finding[]): boolean =>
  findings.length > 0 && findings.every(({ id }) => waiting.has(id));

interface Selection {
  /** Names of checks: these run; all when empty. */
  only: readonly string[];
  /** Names of checks: their blockers are lowered to warnings, those of every one for `all`; nothing is hidden. */
  ignore: readonly string[];
  /** Others are left out. */
  stands?: ((finding: Finding) => boolean) | undefined;
}

/**
 * Run every check. One that throws has met what it was not written for: that is a finding too, never a silent pass.
 * `before` is what was found before.
 */
export function runChecks(
  context: Context,
  { only, ignore, stands = () => true }: Selection,
  before: readonly Finding[] = [],
): Finding[] {
  const asks = (id: string) =>
    only.includes(id) || (id === alreadyRunning && only.some((each) => heldByTheTree.has(each)));
  const chosen = only.length === 0 ? catalogue : catalogue.filter(({ id }) => asks(id));
  const gathered = new Gathered();
  const gather = (found: Finding): void => {
    const finding = lowered(found, ignore);
    if (stands(finding)) gathered.add(finding);
  };
  // Of a second tree, beside the one that runs, all that the first has is in the way.
  let runs = false;
  const tidy = tidying();
  const run = (check: Named): void => {
    tidy();
    try {
      for (const problem of check.run(context, check.id)) {
        tidy();
        runs ||= check.id === alreadyRunning && !context.isolate.has("pid");
        gather(isolated(named(check.id, problem, check.isolate), context));
      }
    } catch (error) {
      gather(crashed(check.id, error));
    }
  };
  chosen.filter(isFirst).forEach(run);
  if (gathered.findings.some(({ severity }) => severity === "blocker")) return gathered.findings;
  before.forEach(gather);
  chosen.filter((check) => !isFirst(check)).forEach(run);
  return gathered.findings.filter(({ id }) => !runs || !heldByTheTree.has(id));
}

const lowered = (finding: Finding, ignore: readonly string[]): Finding =>
  finding.severity === "blocker" && (ignore.includes(finding.id) || ignore.includes("all"))
    ? { ...finding, severity: "warning" }
    : finding;

/** What CRIU will make on this machine beside the tree itself, as far as it is not there now. */
export function leftoversOf(context: Context): Leftover[] {
  try {
    return [
      ...scratchLeftovers(context),
      ...cgroupLeftovers(context),
      ...socketLeftovers(context),
      ...ghostLeftovers(context),
      ...pidMaxLeftovers(context),
      ...linkRemapLeftovers(context),
    ];
  } catch {
    return []; // the check of the same images says why
  }
}

/** What is said of a check, or what checks need, that threw. */
export function crashed(id: string, error: unknown): Finding {
  return {
    id: "check-crashed",
    severity: "blocker",
    task: null,
    image: "",
    subject: id,
    isolate: null,
    apart: null,
    over: null,
    message: `the check ${id} failed: ${error instanceof Error ? error.message : String(error)}`,
    criu_message: null,
    remedy: {
      kind: "human",
      text: "this is a fault of recriu; --ignore=check-crashed goes on without that check",
      command: null,
    },
  };
}
