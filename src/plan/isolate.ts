/** In which namespaces of its own a tree would meet nothing that blocks. */
import { again, type Context, type Finding, isolationOption } from "../checks/index.ts";
import { type IsolationKind, isolationKinds, withCompany } from "../criu/index.ts";
import { sh, type ShellCommand } from "../sys/shell.ts";
import type { Plan } from "./index.ts";

/** What was found for a tree with namespaces of these kinds, and the plan for that. */
interface Seen {
  readonly context: Context;
  readonly findings: Finding[];
  readonly plan: Plan;
}

/** The command that would restore what is blocked. */
export interface Would {
  readonly isolate: readonly IsolationKind[];
  readonly command: ShellCommand;
}

/** Look again, each time in the namespaces that answer what blocked, until they are no more. Undefined: none answers anything. */
export async function inNamespaces<S extends Seen>(
  seen: S,
  look: (kinds: readonly IsolationKind[]) => Promise<S>,
): Promise<{ needed: readonly IsolationKind[]; seen: S } | undefined> {
  let needed: readonly IsolationKind[] = [];
  for (let last = seen; ;) {
    const answering = new Set([...needed, ...last.plan.unanswered.map(({ isolate }) => isolate)]);
    const more = isolationKinds.filter((kind) => answering.has(kind));
    if (more.length === needed.length)
      return needed.length === 0 ? undefined : { needed, seen: last };
    needed = more;
    last = await look(withCompany(needed));
  }
}

export const wouldRestore = (context: Context, isolate: readonly IsolationKind[]): Would => ({
  isolate,
  command: sh`recriu restore ${[...again(context), isolationOption(isolate)]}`,
});
