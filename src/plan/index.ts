/** Findings to a plan: what recriu will do before and how it will call CRIU, or why it will not. */
import type { IsolationKind } from "../criu/index.ts";
import { type Edit, type Finding, type Leftover, policyOf, type Repair } from "../checks/index.ts";

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
  /** The namespaces of its own that the tree is given: what was asked for, and what comes along. */
  isolate: readonly IsolationKind[];
  /** Variables added to CRIU's environment, `NAME=VALUE`. */
  environment: string[];
  /** What is taken back when CRIU fails. */
  leftovers: Leftover[];
  /** The blockers that nothing in this plan answers. */
  unanswered: Finding[];
}

/**
 * What answers the findings. `fix` "none" leaves everything to the user: no repair, no edit, no option.
 * Repairs are made for lowered findings too: they only add what is missing.
 */
export function planFor(
  findings: readonly Finding[],
  leftovers: Leftover[],
  fix: "safe" | "none",
  isolate: readonly IsolationKind[] = [],
): Plan {
  const repairs: Plan["repairs"] = [];
  const edits: Plan["edits"] = [];
  const options = new Set<string>();
  const environment: string[] = [];
  const unanswered: Finding[] = [];
  for (const finding of findings) {
    const { id, remedy } = finding;
    if (fix === "safe" && remedy.kind === "repair") repairs.push({ id, ...remedy.repair });
    else if (fix === "safe" && remedy.kind === "edit")
      edits.push(...remedy.edits.map((edit) => ({ id, ...edit })));
    else if (fix === "safe" && remedy.kind === "variable") environment.push(remedy.variable);
    else if (finding.severity !== "blocker" || remedy.kind === "isolate") continue;
    else if (
      fix === "safe" &&
      remedy.kind === "option" &&
      remedy.automatic &&
      isAdded(remedy.option)
    )
      options.add(remedy.option);
    else unanswered.push(finding);
  }
  const outcome = unanswered.length > 0 ? "blocked" : repairs.length > 0 ? "repairable" : "ready";
  return {
    outcome,
    repairs,
    edits,
    options: [...options],
    isolate,
    environment,
    leftovers,
    unanswered,
  };
}

const isAdded = (option: string): boolean => policyOf(option)?.added === true;
