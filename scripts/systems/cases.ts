/** What `bun test` prints of the files that it was given. */
export interface Case {
  readonly file: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
}

const outcomes = { pass: "passed", fail: "failed", skip: "skipped", todo: "skipped" } as const;

/** The cases of a log, also of one that is cut short: what ran, ran. Behind them Bun sums up, and says once more what failed. */
export function cases(log: string): Case[] {
  const found: Case[] = [];
  let file = "";
  for (const line of log.split("\n")) {
    if (/^ *\d+ (pass|tests failed:)$/.test(line)) break;
    file = /^(test\/\S+\.ts):$/.exec(line)?.[1] ?? file;
    const [, word, name = "", ms] =
      /^\((pass|fail|skip|todo)\) (.*?)(?: \[([\d.]+)ms\])?$/.exec(line) ?? [];
    if (word === undefined || file === "") continue;
    const outcome = outcomes[word as keyof typeof outcomes];
    found.push({ file, name, outcome, seconds: Number(ms ?? 0) / 1000 });
  }
  return found;
}
