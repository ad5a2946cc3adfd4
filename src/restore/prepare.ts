/**
 * One restore, whoever asks for it: `recriu restore`, `criu`, or a container runtime. Images and machine are looked at,
 * and what comes of it is the same for all; callers say how options travel, and where words go. Nothing is touched yet.
 */
import type { Finding } from "../checks/index.ts";
import {
  knows,
  mustBeSeen,
  NEWEST_IMAGES,
  type Settings,
  type Request,
  requestFrom,
  since,
} from "../criu/index.ts";
import type { Preflight, PreflightResult } from "../plan/preflight.ts";
import { renumber, neededMove } from "./renumber.ts";

export interface Caller {
  /** CRIU was asked, not recriu: what cannot be looked at is CRIU's alone. */
  readonly forCriu: boolean;
  /** Why the images cannot be looked at, if that is known beforehand. */
  readonly unseen?: string | undefined;
  readonly look: () => Promise<PreflightResult>;
  /** Whether a CRIU of this version asks at the gate. */
  readonly asks: (version: string | undefined) => boolean;
  /** Whether CRIU can be given an option of the plan's; `gate`: it asks there. */
  readonly reaches: (option: string, gate: boolean) => boolean;
  /** End what was started already, before recriu's numbers move. */
  readonly makeRoom?: () => Promise<void>;
  /** Execute recriu again in its own place; undefined: its numbers stay, as nothing will be restored. */
  readonly again: (() => void) | undefined;
}

export type Aside = { readonly kind: "aside"; readonly why: string };
/** It did not come to findings. */
export type Refused = { readonly kind: "refused"; readonly problem: string };
/** `blockers`: those that nothing answers. */
export type Blocked = {
  readonly kind: "blocked";
  readonly preflight: Preflight;
  readonly blockers: readonly Finding[];
};
/** `gate`: CRIU asks at the gate. */
export type Ready = {
  readonly kind: "ready";
  readonly preflight: Preflight;
  readonly gate: boolean;
};
export type Prepared = Aside | Refused | Blocked | Ready;

const refused = (problem: string): Refused => ({ kind: "refused", problem });

/** recriu steps aside for what it cannot check; but a restore that must be looked at, or one with wrong settings, is refused. */
export function unseen(why: string, settings?: Settings): Aside | Refused {
  const asked =
    settings === undefined ? requestFrom([], process.env, []) : { ok: true as const, settings };
  if (!asked.ok) return refused(asked.problem);
  const demand = mustBeSeen(asked.settings);
  return demand === undefined
    ? { kind: "aside", why }
    : refused(`${demand}, and not looked at: ${why}`);
}

export async function prepare(
  request: Request,
  settings: Settings,
  caller: Caller,
): Promise<Prepared> {
  if (caller.unseen !== undefined) return unseen(caller.unseen, settings);
  const result = await caller.look();
  if (!result.ok)
    return caller.forCriu ? unseen(result.problem, settings) : refused(result.problem);
  const { preflight } = result;
  const { checkpoint, criu, findings, plan } = preflight;
  const strange = caller.forCriu ? strangeImages(preflight) : undefined;
  if (strange !== undefined) return unseen(strange, settings);

  // Perhaps it is recriu itself that is in the way, or would be: then this starts again under other numbers.
  // In a namespace of the tree's own recriu has no number.
  const here = plan.isolate.length === 0;
  if (here && caller.again !== undefined && neededMove(checkpoint) !== undefined) {
    await caller.makeRoom?.();
    renumber(checkpoint, caller.again);
  }
  const gate = caller.asks(criu?.version);
  const lost = new Set(plan.options.filter((option) => !caller.reaches(option, gate)));
  const blockers = findings.filter(
    (finding) =>
      plan.unanswered.includes(finding) ||
      (finding.severity === "blocker" &&
        finding.remedy.kind === "option" &&
        lost.has(finding.remedy.option)),
  );
  if (blockers.length > 0) return { kind: "blocked", preflight, blockers };
  if (!gate && request.autoDedup)
    return refused("--auto-dedup waits for a tree that runs, which this CRIU does not tell of");
  // At the gate edits are set right, and known to have been read.
  if (!gate && plan.edits.length > 0)
    return refused(
      `images are only edited for a CRIU that can be held at the gate: ${since.scriptsBesideRpc} or later`,
    );
  return { kind: "ready", preflight, gate };
}

/** Why what was read says nothing of what CRIU will make of the directory. */
function strangeImages({ checkpoint, criu }: Preflight): string | undefined {
  if (!checkpoint.files.has("inventory.img")) return `${checkpoint.dir} holds no images`;
  const kind = checkpoint.inventory?.img_version ?? 0;
  return kind > NEWEST_IMAGES && knows(criu?.version, "compressed", false)
    ? `images of version ${kind} are not known here, but may be to CRIU ${criu?.version}`
    : undefined;
}
