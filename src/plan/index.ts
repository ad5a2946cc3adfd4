/** Findings to a plan: what recriu will do before and how it will call CRIU, or why it will not. */
import type { IsolationKind, Network, Settings } from "../criu/index.ts";
import {
  type Edit,
  type Finding,
  type Leftover,
  hiddenIn,
  policyOf,
  type PrivateDir,
  type PutFile,
  type Repair,
  type Setting,
} from "../checks/index.ts";

/** The finding that something of the plan answers. */
interface Answer {
  id: string;
}

export interface Plan {
  /**
   * ready: nothing to repair. repairable: the repairs and options below answer every blocker. blocked: some have no answer.
   * unchecked: only some checks were run, and nothing that they found blocks.
   */
  outcome: "ready" | "repairable" | "blocked" | "unchecked";
  repairs: (Answer & Repair)[];
  /** What CRIU is shown otherwise than it was saved, without a change to the images. */
  edits: (Answer & Edit)[];
  /** Options added to those that the user gave to CRIU. */
  options: string[];
  /** Settings of the kernel that are changed for the restore (--fix=host). */
  settings: (Answer & Setting)[];
  /** The namespaces of its own that the tree is given: what was asked for, and what comes along. */
  isolate: readonly IsolationKind[];
  /** Directories of its own. */
  dirs: readonly PrivateDir[];
  /** Files that were taken along, each bound over the one that is at its path, or made in a directory of the tree's own, for the tree alone. */
  over: (Answer & PutFile)[];
  /** Which network the tree is given; null: this machine's, or what the images have. */
  network: Network | null;
  /** Variables added to CRIU's environment, `NAME=VALUE`. */
  environment: string[];
  /** What is taken back when CRIU fails. */
  leftovers: Leftover[];
  /** The blockers that nothing in this plan answers. */
  unanswered: Finding[];
}

/** What the tree is given of its own. */
interface Apart {
  readonly isolate: readonly IsolationKind[];
  readonly dirs: readonly string[];
  readonly network: Network;
}

const isSame = (one: Edit, other: Edit): boolean =>
  one.file === other.file &&
  one.entry === other.entry &&
  one.field === other.field &&
  one.to === other.to;

/**
 * What answers the findings. `fix` "none" leaves everything to the user: no repair, no edit, no option. What "host" allows
 * beyond "safe", the findings themselves say.
 * Repairs are made for lowered findings too: they only add what is missing.
 */
export function planFor(
  findings: readonly Finding[],
  leftovers: Leftover[],
  fix: Settings["fix"],
  { isolate, dirs, network }: Apart = { isolate: [], dirs: [], network: "own" },
): Plan {
  const repairs: Plan["repairs"] = [];
  const edits: Plan["edits"] = [];
  const options = new Set<string>();
  const environment: string[] = [];
  const unanswered: Finding[] = [];
  const settings = new Map<string, Plan["settings"][number]>();
  const mended = new Set<string>();
  const over = new Map<string, Plan["over"][number]>();
  const fixes = fix !== "none";
  for (const finding of findings) {
    const { id, remedy } = finding;
    const file = finding.over ?? finding.apart?.put;
    if (remedy.kind === "isolate" && file !== undefined) over.set(file.path, { id, ...file });
    if (fixes && remedy.kind === "repair") {
      // Several findings may be about one file.
      const what = `${remedy.repair.root}\0${remedy.repair.path}`;
      if (!mended.has(what)) repairs.push({ id, ...remedy.repair });
      mended.add(what);
    } else if (fixes && remedy.kind === "edit") {
      // Several findings may be answered by one.
      const added = remedy.edits.filter((edit) => !edits.some((each) => isSame(each, edit)));
      edits.push(...added.map((edit) => ({ id, ...edit })));
    } else if (fixes && remedy.kind === "variable") environment.push(remedy.variable);
    else if (finding.severity !== "blocker" || remedy.kind === "isolate") continue;
    else if (remedy.kind === "host")
      settings.set(remedy.setting.path, wider({ id, ...remedy.setting }, settings));
    else if (fixes && remedy.kind === "option" && remedy.automatic && isAdded(remedy.option))
      options.add(remedy.option);
    else unanswered.push(finding);
  }
  const outcome = unanswered.length > 0 ? "blocked" : repairs.length > 0 ? "repairable" : "ready";
  return {
    outcome,
    repairs,
    edits,
    options: [...options],
    settings: [...settings.values()],
    isolate,
    dirs: hiddenIn(dirs, findings),
    over: [...over.values()],
    network: isolate.includes("net") ? network : null,
    environment,
    leftovers,
    unanswered,
  };
}

/** Of two that need the same setting changed, what is enough for both. */
function wider(
  setting: Plan["settings"][number],
  others: ReadonlyMap<string, Plan["settings"][number]>,
): Plan["settings"][number] {
  const other = others.get(setting.path);
  if (other === undefined) return setting;
  const isMore = setting.to > setting.from ? setting.to > other.to : setting.to < other.to;
  return isMore ? setting : other;
}

const isAdded = (option: string): boolean => policyOf(option)?.added === true;
