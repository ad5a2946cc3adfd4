/**
 * An OCI runtime with restores made safe. Every call is the runtime's own, executed in this process's place; before a
 * `restore` the checkpoint is looked at against the container's root, and what is safe is repaired there.
 */
import type { Finding } from "../checks/index.ts";
import { requestFrom } from "../criu/index.ts";
import { criuEnvironment } from "../criu/environment.ts";
import { preflight, type Preflight } from "../plan/preflight.ts";
import { carryOut } from "../repair/index.ts";
import { harmless, line } from "../report/terminal.ts";
import { printFindings } from "../report/text.ts";
import { errorText } from "../sys/errno.ts";
import { execute } from "../sys/process.ts";
import { parseRuntime, type RuntimeCommand } from "./arguments.ts";
import { readBundle } from "./bundle.ts";
import { logError } from "./log.ts";
import { findRuntime } from "./real.ts";
import { criuWordsOf, flagsOf, logOf, standsUnderRuntime } from "./request.ts";

const REFUSED = 1;
const NOT_FOUND = 127;

/** Be the runtime `of` (`runc`, `crun`, or a path). Returns an exit code only where the runtime is not executed. */
export async function wrap(of: string, words: readonly string[]): Promise<number> {
  const path = findRuntime(of, process.env.PATH);
  if (path === undefined) {
    line(`recriu: no ${harmless(of)} in PATH and the usual places`);
    return NOT_FOUND;
  }
  const command = parseRuntime(words, path.includes("crun"));
  if (command.command !== "restore") return become(path, words);
  const prepared = await prepare(command);
  if (prepared.ok) return become(path, words.toSpliced(command.at + 1, 0, ...prepared.flags));
  const log = logOf(command);
  if (log !== undefined) logError(log, prepared.message);
  // Callers show the first line of stderr, or all of it.
  line(`recriu: ${harmless(prepared.message)}`);
  printFindings(prepared.blockers);
  return REFUSED;
}

type Prepared =
  { ok: true; flags: string[] } | { ok: false; message: string; blockers: readonly Finding[] };

/** Preflight and repairs. What cannot be looked at (no bundle, no images) is for the runtime to refuse in its words. */
async function prepare(command: RuntimeCommand): Promise<Prepared> {
  const nothing: Prepared = { ok: true, flags: [] };
  const read = readBundle(command.options.get("bundle") ?? ".");
  if (!read.ok) return nothing;
  const asked = requestFrom(criuWordsOf(command, read.bundle), process.env);
  if (!asked.ok) return nothing;
  const result = await preflight(asked.request, asked.own, (finding) =>
    standsUnderRuntime(finding, read.bundle),
  );
  if (!result.ok) return nothing;
  const { plan, checkpoint } = result.preflight;
  if (plan.outcome === "blocked")
    return { ok: false, message: refusal(result.preflight), blockers: plan.unanswered };
  const done = carryOut({ repairs: plan.repairs, leavings: [] }, checkpoint.dir);
  if (!done.ok) return { ok: false, message: done.problem, blockers: [] };
  done.repaired.keep();
  return { ok: true, flags: flagsOf(plan.options).flags };
}

/** One line, for logs: what blocks, and how to read more. */
function refusal({ plan, checkpoint }: Preflight): string {
  const [first, ...others] = plan.unanswered;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return `the restore is blocked: ${first!.message} [${first!.id}]${more}; nothing was touched; recriu preflight -D ${checkpoint.dir} shows all`;
}

function become(path: string, words: readonly string[]): number {
  const failed = execute(path, path, words, criuEnvironment(process.env));
  line(`recriu: ${harmless(path)}: ${errorText(failed)}`);
  return NOT_FOUND;
}
