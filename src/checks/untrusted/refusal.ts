/** Under --untrusted: each effect that reaches beyond what the caller allowed is a finding that says what would happen. */
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import { countOf } from "../grouped.ts";
import type { Effect, Verb } from "../effects/effect.ts";
import type { Check, Context, Problem, Proof, Remedy } from "../finding.ts";

interface Page {
  title: string;
  reads: string;
  why: string;
  /** What a person can do beside going on with --ignore. */
  remedy: Remedy | string;
  /** Left out: bare CRIU was seen to do the harm. */
  proof?: Proof;
}

export const allow =
  "--allow-write names a directory below which it may; or give the tree a root of its own";

const infinitives: Readonly<Record<Verb, string>> = {
  run: "run",
  load: "load",
  mount: "mount",
  join: "join",
  delete: "delete",
  create: "make",
  change: "change",
  write: "write to",
  signal: "have power over",
  connect: "connect to",
  listen: "listen on",
  watch: "watch",
  lock: "lock",
  set: "set",
  read: "read",
};

/** Findings of one check; a hostile checkpoint can have hundreds of thousands. */
const MOST = 50;

/** The check of its own name among the effects' refusals. */
export const refusal = ({ remedy, ...page }: Page): Check => ({
  proof: "harm",
  answers: [typeof remedy !== "string" && remedy.kind === "option" ? "choice" : "person"],
  ...page,
  run({ settings, effects = [] }: Context, id) {
    if (!settings.untrusted) return [];
    const found = effects.filter(({ check }) => check === id);
    const shown = found.slice(0, MOST).map((one) => problemOf(remedy, one));
    const [next] = found.slice(MOST);
    return next === undefined
      ? shown
      : [
          ...shown,
          {
            ...problemOf(remedy, next),
            message: `and ${countOf(found) - MOST} more of these; --effects lists them`,
          },
        ];
  },
});

function problemOf(remedy: Page["remedy"], one: Effect): Problem {
  const { verb, what, path, name, detail, image, task } = one;
  const where = path ?? name;
  const called = path === null || path === name ? "" : ` (${name} in the images)`;
  return {
    severity: "blocker",
    task,
    image,
    subject: where,
    message: `it would ${infinitives[verb]} the ${what} ${where}${called}: ${detail}`,
    remedy:
      typeof remedy === "string"
        ? { kind: "human", text: remedy, command: allowing(remedy, path) }
        : { ...remedy },
  };
}

/** The option for the file's own directory, where it is one that would do. */
const allowing = (remedy: string, path: string | null) =>
  path !== null && remedy.includes("--allow-write") ? sh`--allow-write=${dirname(path)}` : null;
