/** recriu's JSON as the cases read it. */
import { expect } from "bun:test";
import { answersOf, catalogue } from "../../src/checks/index.ts";
import { explain } from "../../src/explain/index.ts";
import { criu, recriu, type RunOptions, type Stage } from "./stage.ts";

export interface Finding {
  id: string;
  severity: string;
  task: number | null;
  tasks: number[];
  image: string;
  subject: string;
  message: string;
  criu_message: string | null;
  isolate: string | null;
  isolate_dir: string | null;
  remedy: { kind: string; text: string; command: string | null };
}

/** As `preflight --effects` lists it. */
export interface Effect {
  verb: string;
  what: string;
  path: string | null;
  name: string;
  detail: string;
  image: string;
  task: number | null;
  when: string;
  check: string | null;
  count: number;
}

export interface Report {
  effects?: Effect[];
  images: string;
  criu: { path: string | null; version: string | null };
  findings: Finding[];
  plan: {
    outcome: string;
    repairs: { action: string; path: string; mode: number; link?: string }[];
    edits: { file: string; entry: number; field: string; from: unknown; to: unknown }[];
    options: string[];
    environment: string[];
    settings: { id: string; path: string; from: number; to: number; stays: boolean }[];
    isolate: string[];
    isolate_dirs: string[];
    over: { id: string; path: string; from: string }[];
    network: null | string | { named: string };
    would_restore: { isolate: string[]; isolate_dirs: string[]; command: string } | null;
  };
  run: {
    criu_exit: number;
    pid: number | null;
    pid_inside: number | null;
    network: Record<"host" | "tree", { device: string; address: string }> | null;
  } | null;
  verdict: {
    result: string;
    compared: number;
    memory?: number;
    not_compared: number;
    left_out: { facet: string; reason: string; count: number }[];
    differences: {
      facet: string;
      task: number | null;
      expected: string;
      found: string;
      class: string;
    }[];
  } | null;
  rehearsal: { left: string[] } | null;
  notes: string[];
  failure: { line: string; cause: string | null; left: string[]; at: string[] } | null;
}

/** `recriu preflight --json` or `recriu restore -d --json`, and its exit code. */
export async function report(
  stage: Stage,
  command: "preflight" | "restore",
  images: string,
  options: string[] = [],
  runOptions: RunOptions = {},
): Promise<Report & { exit: number | null; stderr: string }> {
  const detached = command === "restore" ? ["-d"] : [];
  const done = await recriu(stage, [command, ...detached, "-D", images, "--json", ...options], {
    env: { RECRIU_CRIU: criu },
    ...runOptions,
  });
  if (!done.stdout.startsWith("{"))
    throw new Error(`recriu ${command} printed no report, exit ${done.exit}: ${done.stderr}`);
  const printed = JSON.parse(done.stdout) as Report & { exit: number };
  if (printed.exit !== done.exit)
    throw new Error(`recriu ${command} says that it exits ${printed.exit}, and exits ${done.exit}`);
  return { ...printed, stderr: done.stderr };
}

/** The ids of findings that block. */
export const blockers = ({ findings }: Report): string[] =>
  findings.filter((finding) => finding.severity === "blocker").map((finding) => finding.id);

export const finding = ({ findings }: Report, id: string): Finding => {
  const found = findings.find((entry) => entry.id === id);
  if (found === undefined)
    throw new Error(
      `no finding ${id} among ${findings.map((entry) => entry.id).join(", ") || "none"}`,
    );
  // What docs/checks.md says of it is what it does.
  const check = catalogue.find((each) => each.id === id);
  const kind = found.remedy.kind === "human" ? "person" : found.remedy.kind;
  if (check !== undefined && found.severity === "blocker") expect(check.blocks).not.toBe(false);
  if (check !== undefined && found.severity !== "info")
    expect(
      answersOf(check).map((each) => (each === "choice" ? "option" : each)) as string[],
    ).toContain(kind);
  return found;
};

/** Numbers, ids and line numbers differ from run to run: the words of CRIU's message that do not. */
export function sameWords(line: string, message: string): boolean {
  const words = message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/0x[0-9a-f]+|\d+/g, "\\S+");
  return new RegExp(words).test(line);
}

/** What CRIU said of a fault is explained by an entry of the check that named it before. */
export function explained({ id, criu_message }: Finding): void {
  if (criu_message === null) return;
  const known = explain(criu_message);
  expect([criu_message, known?.check, ...(known?.also ?? [])]).toContain(id);
}
