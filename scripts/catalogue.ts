/** Writes src/checks/catalogue.ts from the folders: a check's folder is its group, its file's name its id. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const room = join(import.meta.dir, "../src/checks");

/** In the order in which a restore meets them; so the findings are told. */
export const groups = [
  "criu",
  "images",
  "tree",
  "cgroups",
  "mounts",
  "files",
  "sockets",
  "kernel",
  "rights",
  "bundle",
  "import",
  "untrusted",
] as const;

/** `file-missing` as a name in the code: `fileMissing`. */
export const nameOf = (id: string): string =>
  id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The ids of a group: its files that export a check by their own name; the others help their neighbours. */
export const idsOf = (group: string): string[] =>
  readdirSync(join(room, group))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((id) =>
      readFileSync(join(room, group, `${id}.ts`), "utf8").includes(
        `export const ${nameOf(id)}: Check = `,
      ),
    )
    .sort();

export function catalogue(): string {
  const all = groups.map((group) => ({ group, ids: idsOf(group) }));
  const imports = all.flatMap(({ group, ids }) =>
    ids.map((id) => `import { ${nameOf(id)} } from "./${group}/${id}.ts";`),
  );
  const tables = all.map(
    ({ group, ids }) =>
      `  ${group}: {\n${ids.map((id) => `    ${id.includes("-") ? `"${id}"` : id}: ${nameOf(id)},\n`).join("")}  },\n`,
  );
  return `/** The catalogue: every check, by group and id. Written from the folders by \`npm run docs\`. */
import type { Check, Named } from "./finding.ts";
${imports.join("\n")}

const groups = {
${tables.join("")}} as const satisfies Record<string, Record<string, Check>>;

export type Group = keyof typeof groups;
type IdOf<G> = G extends Group ? keyof (typeof groups)[G] : never;
export type CheckId = IdOf<Group>;

export const catalogue: readonly Named[] = Object.entries(groups).flatMap(([group, checks]) =>
  Object.entries(checks).map(([id, check]): Named => ({
    ...check,
    id: id as CheckId,
    group: group as Group,
  })),
);
`;
}
