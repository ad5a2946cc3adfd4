/**
 * The documents of `--json` beside the report of a restore (json.ts), as types. Each goes out with the version of recriu and
 * the number of its schema (told.ts); docs/schemas/ has them for other programs, made from scripts/schemas/, which these
 * types are held against.
 */
import type { CheckId } from "../checks/catalogue.ts";
import type { Named } from "../checks/index.ts";
import type { Fact } from "../checks/doctor.ts";
import type { LogReport } from "../explain/log.ts";
import type { Manifest } from "../image/index.ts";
import type { Undone } from "../repair/changes.ts";
import type { Changed } from "../show/compare.ts";
import type { Contents } from "../show/contents.ts";
import type { ShownMapping } from "../show/mappings.ts";
import type { ShownTask } from "../show/tasks.ts";
import type { Verdict } from "../verify/index.ts";
import type { Reason } from "./reasons.ts";

/** `show`; mappings and environments only where they were asked for. */
export interface ShowDocument extends Omit<Contents, "tasks"> {
  readonly tasks: readonly (ShownTask & {
    readonly mappings?: readonly ShownMapping[];
    readonly environment?: readonly string[] | null;
  })[];
}

/** `show` of a directory of checkpoints: each by its name there, or why it cannot be read. */
export interface CheckpointsDocument {
  readonly checkpoints: readonly (
    ({ readonly name: string } & Contents) | { readonly name: string; readonly problem: string }
  )[];
}

/** `diff`. */
export interface DiffDocument {
  readonly a: string;
  readonly b: string;
  readonly changed: readonly Changed[];
  readonly needs: readonly string[];
}

/** `memory`; with --search; with --dump. */
export type MemoryDocument =
  | { readonly pid: number; readonly mappings: readonly ShownMapping[] }
  | {
      readonly pid: number;
      readonly count: number;
      readonly places: readonly { readonly address: string; readonly mapping: string | null }[];
      readonly searched: number;
      readonly unread: number;
    }
  | {
      readonly pid: number;
      readonly pieces: readonly {
        readonly address: string;
        readonly length: number;
        readonly base64: string | null;
      }[];
    };

/** `verify`. */
export interface VerifyDocument {
  readonly images: string;
  readonly pid: number;
  readonly pid_inside: number | null;
  readonly verdict: Verdict;
}

/** A check, as `explain ID` and the lists have it. */
export interface CheckDocument extends Pick<Named, "title" | "why" | "reads" | "group"> {
  readonly id: CheckId;
}

/** `preflight --list`. */
export interface ChecksDocument {
  readonly checks: readonly CheckDocument[];
}

/** `explain`: of a log or words; of words of which nothing is known; of an id; of an exit code; `--list`. */
export type ExplainDocument =
  | (LogReport & {
      readonly log: string;
      readonly about: readonly string[];
      readonly kept: string | null;
      readonly memory: readonly string[];
    })
  | { readonly explanation: null }
  | { readonly check: CheckDocument }
  | { readonly exit_code: number; readonly means: string }
  | (ChecksDocument & {
      readonly known: readonly { readonly says: string; readonly check: string }[];
    });

/** `doctor`. */
export interface DoctorDocument {
  readonly facts: readonly Fact[];
}

/** `last`. */
export interface LastDocument {
  readonly reasons: readonly Reason[];
}

/** `undo`. */
export interface UndoDocument {
  readonly undone: readonly Undone[];
}

/** `seal`: what it has written. */
export type SealDocument = Manifest;

/** Any command that could not do what it was asked. */
export interface ProblemDocument {
  readonly exit: number;
  readonly problem: string;
}
