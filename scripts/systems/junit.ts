/** What `bun test --reporter=junit` has written. */
export interface Case {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const plain = (text: string): string =>
  text.replace(/&(\w+);/g, (all, name: string) => entities[name] ?? all);

/** The report's cases; a report that has none, or is cut short, is that of a file that failed as a whole. */
export function cases(xml: string): Case[] {
  if (!xml.trimEnd().endsWith("</testsuites>")) return [];
  const found: Case[] = [];
  for (const [, words = "", content] of xml.matchAll(
    /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const word = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(words)?.[1] ?? "";
    const outcome = !content
      ? "passed"
      : /<(failure|error)\b/.test(content)
        ? "failed"
        : content.includes("<skipped")
          ? "skipped"
          : "passed";
    found.push({ name: plain(word("name")), outcome, seconds: Number(word("time")) });
  }
  return found;
}
