/** Pages about the checks: one of them for the terminal, all of them for docs/checks.md. */
import { catalogue, type Check, notChecked, optionPolicies, type Proof } from "../checks/index.ts";

const proofs: Record<Proof, string> = {
  criu: "real CRIU: it failed with the quoted message, and the remedy made the restore pass",
  harm: "real CRIU: it hung, harmed or failed without that message",
  images: "images that a test edits",
};

/** What `recriu explain ID` prints. */
export const checkPage = ({ id, title, why, reads }: Check): string =>
  `${id}: ${title}\n\n${why}\n\nIt reads ${reads}.`;

/** docs/checks.md. */
export function checksPage(): string {
  const rows = catalogue.map(({ id, proof }) => `| [\`${id}\`](#${id}) | ${proofs[proof]} |`);
  const sections = catalogue.map(
    ({ id, title, why, reads }) => `## ${id}\n\n**${title}.** ${why}\n\nReads ${reads}.`,
  );
  const left = notChecked.map(({ what, why }) => `- ${what}: ${why}`);
  const options = optionPolicies.map(
    ({ option, added, why }) => `| \`${option}\` | ${added ? "added" : "named only"} | ${why} |`,
  );
  return `${[
    "# The checks",
    "Written by `npm run docs` from the catalogue in `src/checks/`; `recriu explain ID` shows the same.",
    "| check | proof |\n| --- | --- |\n" + rows.join("\n"),
    ...sections,
    "# Options that answer a finding",
    "Recriu adds an option by itself only when it loses nothing, is needed by a blocker, and the user did not say otherwise; `--fix=none` adds none.",
    "| option | | why |\n| --- | --- | --- |\n" + options.join("\n"),
    "# Not checked",
    left.join("\n"),
  ].join("\n\n")}\n`;
}
