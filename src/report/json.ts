/** The same for programs: one JSON document on stdout (docs/report.schema.json). */
import { countOf } from "../checks/grouped.ts";
import type { Finding } from "../checks/index.ts";
import type { Would } from "../plan/isolate.ts";
import type { Preflight } from "../plan/preflight.ts";
import { tidying } from "../sys/garbage.ts";
import { typedOption, unprintable } from "../sys/shell.ts";
import type { Outcome } from "./outcome.ts";
import { firstOfEach } from "./kinds.ts";
import { printPiece, printText } from "./terminal.ts";
import { version } from "./version.ts";

/** Print a document. It may be looked at on a terminal: what stands in its texts and would do something there is written as JSON can. */
export function printJson(document: object): void {
  let piece = "";
  const tidy = tidying();
  const write = (text: string): void => {
    piece += text;
    if (piece.length < PIECE) return;
    printPiece(piece.replace(unprintable, escaped));
    piece = "";
    tidy();
  };
  writeValue(document, "\n", write);
  printText(piece.replace(unprintable, escaped));
}

/** Characters that are printed at a time: a document of thousands of findings is many times their size as one text. */
const PIECE = 1 << 16;

/** As JSON.stringify(value, null, 2) has it; `line` begins a line at the value's depth. */
function writeValue(value: unknown, line: string, write: (text: string) => void): void {
  if (typeof value !== "object" || value === null) return write(JSON.stringify(value) ?? "null");
  const isList = Array.isArray(value);
  let before = isList ? "[" : "{";
  for (const [name, of] of isList ? value.entries() : Object.entries(value)) {
    if (!isList && of === undefined) continue;
    write(`${before}${line}  ${isList ? "" : `${JSON.stringify(name)}: `}`);
    writeValue(of, `${line}  `, write);
    before = ",";
  }
  if (before === ",") write(isList ? `${line}]` : `${line}}`);
  else write(isList ? "[]" : "{}");
}

const escaped = (char: string): string =>
  char === "\n" ? char : char.split("").map(escape).join("");
const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** The contract's fields of a finding: what recriu would do inside is not among them. */
function findingOf({ remedy, apart, ...finding }: Finding): object {
  return {
    ...finding,
    over: undefined,
    more: undefined,
    isolate_dir: apart?.dir ?? null,
    tasks: finding.tasks ?? (finding.task === null ? [] : [finding.task]),
    remedy: {
      kind: remedy.kind,
      text: remedy.text,
      command: remedy.kind === "option" ? typedOption(remedy.option) : remedy.command,
    },
  };
}

const wouldOf = ({ isolate, dirs, command }: Would): object => ({
  isolate,
  isolate_dirs: dirs,
  command,
});

/** More would be no report: of the others their number. Findings: of one kind; of effects of one kind fewer were kept. */
const MOST_EFFECTS = 20_000;
const MOST_FINDINGS = 1000;
const kindOf = ({ severity, id }: Finding): string => `${severity}[${id}]`;

/** The report of `preflight`, and of `restore` when `outcome` is given, which ends with code `exit`. Times in milliseconds. */
export function reportOf(preflight: Preflight, outcome: Outcome | undefined, exit: number): object {
  const { images, checkpoint, criu, findings, plan } = preflight;
  const threads = checkpoint.tasks.reduce((sum, task) => sum + task.threads.length, 0);
  return {
    recriu: version,
    schema: 1,
    exit,
    images,
    criu: {
      path: criu?.path ?? null,
      version: criu?.version ?? null,
      ...(preflight.rejected.length > 0 && {
        instead_of: preflight.rejected.map((rejected) => ({
          path: rejected.path,
          version: rejected.version ?? null,
          findings: rejected.blockers.map(findingOf),
        })),
      }),
    },
    tree: { tasks: checkpoint.tasks.length, threads, root_pid: checkpoint.root?.pid ?? null },
    findings: firstOfEach(findings, kindOf, MOST_FINDINGS, countOf).first.map(findingOf),
    findings_total: countOf(findings),
    plan: {
      outcome: plan.outcome,
      repairs: plan.repairs,
      edits: plan.edits,
      options: plan.options,
      settings: plan.settings,
      isolate: plan.isolate,
      isolate_dirs: plan.dirs.map(({ path }) => path),
      over: plan.over,
      network: plan.network,
      environment: plan.environment,
      would_restore: preflight.would === undefined ? null : wouldOf(preflight.would),
    },
    ...(preflight.effects !== undefined &&
      preflight.settings.onCommandLine.has("effects") && {
        effects: preflight.effects
          .slice(0, MOST_EFFECTS)
          .map((one) => ({ ...one, more: undefined })),
        effects_total: countOf(preflight.effects),
      }),
    run: outcome?.run ?? null,
    verdict: outcome?.verdict ?? null,
    failure: outcome?.failure
      ? {
          line: outcome.failure.line,
          cause: outcome.failure.explanation?.cause ?? null,
          remedy: outcome.failure.explanation?.remedy ?? null,
          left: outcome.failure.left,
          at: outcome.failure.at,
        }
      : null,
    rehearsal: outcome?.rehearsal ?? null,
    notes: outcome?.notes ?? [],
    watched: outcome?.watched ?? null,
    timing_ms: {
      preflight: preflight.tookMs,
      ...(outcome?.timing_ms ?? { repair: 0, criu: 0, verify: 0 }),
    },
  };
}

/** The same where nothing could be looked at: why, and nothing else. */
export const reportOfNothing = (images: string, why: { exit: number; said: string }): object => ({
  recriu: version,
  schema: 1,
  exit: why.exit,
  images,
  criu: { path: null, version: null },
  tree: { tasks: 0, threads: 0, root_pid: null },
  findings: [],
  findings_total: 0,
  plan: {
    outcome: "blocked",
    repairs: [],
    edits: [],
    options: [],
    settings: [],
    isolate: [],
    isolate_dirs: [],
    over: [],
    network: null,
    environment: [],
    would_restore: null,
  },
  run: null,
  verdict: null,
  failure: { line: why.said, cause: null, remedy: null, left: [], at: [] },
  rehearsal: null,
  notes: [],
  watched: null,
  timing_ms: { preflight: 0, repair: 0, criu: 0, verify: 0 },
});
