/** Findings by kind: nobody reads a hundred thousand of one, and images can hold any number. */
import type { Finding } from "../checks/index.ts";

/** Findings of one severity and check, by how both are printed. */
export const kindsOf = (findings: readonly Finding[]): Map<string, Finding[]> =>
  Map.groupBy(findings, ({ severity, id }) => `${severity}[${id}]`);

/** The first `most` of each kind, kind by kind. */
export const firstOfEachKind = (findings: readonly Finding[], most: number): Finding[] =>
  [...kindsOf(findings).values()].flatMap((kind) => kind.slice(0, most));
