/** Pages about the checks: one of them for the terminal, all of them for docs/checks.md. */
import { knownFaults, versionsOf } from "../criu/known-faults.ts";
import { entries } from "../explain/index.ts";
import {
  type AnsweredBy,
  answersOf,
  catalogue,
  type Named,
  notChecked,
  optionPolicies,
  type Proof,
} from "../checks/index.ts";
import { sh } from "../sys/shell.ts";
import type { CheckDocument, ChecksDocument } from "./documents.ts";
import { exits } from "./outcome.ts";

const proofs: Record<Proof, string> = {
  criu: "real CRIU: it failed with the quoted message, and the remedy made the restore pass",
  harm: "real CRIU: it hung, harmed or failed without that message",
  images: "images that a test edits",
};

/** What `--list` prints: every check, one a line. */
export const checkList = (): string =>
  catalogue.map(({ id, title }) => `${id.padEnd(longest)} ${title}`).join("\n");

const longest = Math.max(...catalogue.map(({ id }) => id.length));

/** The same for programs. */
export const checksDocument = (): ChecksDocument => ({ checks: catalogue.map(checkDocument) });

export const checkDocument = ({ id, title, why, reads, group }: Named): CheckDocument => ({
  id,
  group,
  title,
  why,
  reads,
});

/** What `recriu explain ID` prints. */
export function checkPage({ id, title, why, reads }: Named): string {
  const said = entries().filter(({ check, also }) => check === id || also.includes(id));
  const lines = said.flatMap(({ says, like, reported, remedy }) => [
    `  ${reported[0] ?? like[0] ?? plain(says[0]!.text)}`,
    ...(remedy === "" ? [] : [`    ${plain(remedy)}`]),
  ]);
  return [
    `${id}: ${title}`,
    why,
    `It reads ${reads}.`,
    ...(lines.length === 0 ? [] : [`CRIU says, and what helps:\n${lines.join("\n")}`]),
    `To see it: ${sh`recriu preflight -D DIR --only=${id}`}`,
  ].join("\n\n");
}

/** Words without a line to fill them from. */
const plain = (text: string): string =>
  text.replace(/<#?(\w+)>/g, (_, name: string) => name.toUpperCase());

/** What an exit code means; undefined for what is none. */
export function exitMeans(code: string): string | undefined {
  if (!/^\d{1,3}$/.test(code)) return undefined;
  const signal = Number(code) - 128;
  const means = exits.find((exit) => String(exit.code) === code)?.means;
  return means ?? (signal > 0 && signal < 65 ? `ended by signal ${signal}` : undefined);
}

/** What answers a finding, and what has to be asked for it; in the order of the table. */
const answers: Record<AnsweredBy, string> = {
  repair: "recriu makes what is missing (`--fix=safe`, the default)",
  edit: "CRIU is given edited copies of images (`--fix=safe`, the default)",
  option: "recriu adds an option of CRIU's that loses nothing (`--fix=safe`, the default)",
  variable: "a variable of CRIU's environment (`--fix=safe`, the default)",
  map: "CRIU is shown another place of the tree's files (`--map-path=OLD=NEW`, [isolation](isolation.md#a-path))",
  isolate:
    "a namespace or a directory of the tree's own (`--isolate`, `--isolate-dir=PATH`, [isolation](isolation.md))",
  host: "a setting of the kernel, for the restore (`--fix=host`)",
  wait: "time, where the holder of what is taken ends by itself, or a mount is coming (`--wait=SECONDS`)",
  other:
    "another CRIU in PATH that can do it, where none was named: recriu takes the first that restores this here, and says why",
  choice:
    "a person, by an option of CRIU's that recriu names and never adds: it loses something, or says what only he knows",
  person: "a person: what is to be decided or done is said, with what to type",
};

const byPeople: ReadonlySet<AnsweredBy> = new Set(["choice", "person"]);

/** Why what can block, and recriu answers in no way, is left to people. */
const reasons: Record<Named["group"], string> = {
  criu: "which CRIU, plugin or script runs is the caller's word",
  images: "the images are damaged, made up or incomplete, and what they lack is nowhere else",
  tree: "what the tree belonged to was not dumped with it, or cannot be had twice",
  cgroups: "what a cgroup is for, and for what tasks, only its owner knows",
  mounts:
    "only the caller knows what of this machine is to be mounted, and no seal has a file system",
  files: "what it takes is in neither the images nor a seal, or gives rights",
  sockets: "the other end is not the tree's",
  kernel: "this kernel or processor cannot do it",
  rights: "recriu gives no rights that its caller has not given",
  bundle: "the container's configuration grants it, or does not",
  import: "the engine's own command restores it",
  untrusted: "to refuse it is what --untrusted asks for",
};

const isLeft = (check: Named): boolean =>
  check.blocks !== false && answersOf(check).every((kind) => byPeople.has(kind));

/** How many checks each answers; one check may have several. */
function answersTable(): string {
  const rows = (Object.keys(answers) as AnsweredBy[]).map((kind) => {
    const ids = catalogue.filter((check) => answersOf(check).includes(kind)).map(({ id }) => id);
    const named = kind === "person" ? "" : ids.map((id) => `[\`${id}\`](#${id})`).join(", ");
    return `| ${kind} | ${answers[kind]} | ${ids.length} | ${named} |`;
  });
  const blocking = catalogue.filter(({ blocks }) => blocks !== false);
  const itself = blocking.filter((check) => !isLeft(check));
  return [
    `Of ${catalogue.length} checks ${blocking.length} can block; of those recriu answers ${itself.length} by itself, under some circumstances or where it is asked to. The others are a person's; why stands beside them.`,
    `| answered by | | checks | which |\n| --- | --- | --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n");
}

/** docs/checks.md. */
export function checksPage(): string {
  const rows = catalogue.map(
    (check) =>
      `| [\`${check.id}\`](#${check.id}) | ${answersOf(check).join(", ")}${isLeft(check) ? `: ${reasons[check.group]}` : ""} | ${proofs[check.proof]} |`,
  );
  const sections = catalogue.map(
    ({ id, title, why, reads }) => `## ${id}\n\n**${title}.** ${why}\n\nReads ${reads}.`,
  );
  const left = notChecked.map(({ what, why }) => `- ${what}: ${why}`);
  const options = optionPolicies.map(
    ({ option, added, why }) => `| \`${option}\` | ${added ? "added" : "named only"} | ${why} |`,
  );
  const faults = knownFaults.map(
    (fault) =>
      `| ${versionsOf(fault)} | ${fault.what} | ${fault.check === "" ? "" : `\`${fault.check}\``} | ${fault.remedy} | ${fault.sources.join(", ")} |`,
  );
  return `${[
    "# The checks",
    "Written by `npm run docs` from the catalogue in `src/checks/`; `recriu explain ID` shows the same.",
    answersTable(),
    "| check | answered by | proof |\n| --- | --- | --- |\n" + rows.join("\n"),
    ...sections,
    "# Options that answer a finding",
    "Recriu adds an option by itself only when it loses nothing, is needed by a blocker, and the user did not say otherwise; `--fix=none` adds none.",
    "| option | | why |\n| --- | --- | --- |\n" + options.join("\n"),
    "# Known faults of CRIU",
    "By CRIU's version and the kernel's; `recriu doctor` names those of this machine, `recriu explain` knows their words.",
    "| CRIU | what | check | remedy | sources |\n| --- | --- | --- | --- | --- |\n" +
      faults.join("\n"),
    "# Not checked",
    left.join("\n"),
  ].join("\n\n")}\n`;
}
