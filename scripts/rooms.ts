/** The rooms of src from the top down, as CONTRIBUTING.md lists them: imports point down this list, never up. */
import { readFileSync } from "node:fs";

const contributing = readFileSync(new URL("../CONTRIBUTING.md", import.meta.url), "utf8");
const house = /^ {4}src\/\n((?: {6}.*\n)+)/m.exec(contributing)?.[1] ?? "";

/** Names of directories, and `main.ts` before them. */
export const rooms: readonly string[] = [...house.matchAll(/^ {6}([\w.]+)\/? {2,}/gm)].map(
  (match) => match[1]!,
);

/** Besides, images know nothing of the machine, and verification knows nothing of the plan. */
const apart: Readonly<Record<string, readonly string[]>> = {
  image: ["host"],
  verify: ["repair", "plan"],
};

/** The rooms that a room may not import. */
export const closedTo = (room: string): readonly string[] => [
  ...rooms.slice(0, rooms.indexOf(room)),
  ...(apart[room] ?? []),
];

/** The machine is seen through Host and what /proc says of a tree: test/host/seen.test.ts says what checks may import. */
const seen = `    {
      "files": ["src/checks/**", "src/verify/**"],
      "rules": { "no-restricted-globals": ["error", "process", "Bun", "fetch"] }
    }`;

/** What the linter is told of it, as .oxlintrc.json ends. */
export function lintOverrides(): string {
  const overrides = rooms.slice(1).map((room) => {
    const closed = closedTo(room).map((other) =>
      other.endsWith(".ts") ? `${other}$` : `${other}/`,
    );
    const regex = `^\\.\\./(\\.\\./)*(${closed.join("|").replaceAll(".ts", "\\.ts")})`;
    const rule = ["error", { patterns: [{ regex }] }];
    return `    {\n      "files": ["src/${room}/**"],\n      "rules": { "no-restricted-imports": ${JSON.stringify(rule)} }\n    }`;
  });
  return `  "overrides": [\n${[seen, ...overrides].join(",\n")}\n  ]\n}\n`;
}
