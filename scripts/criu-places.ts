/**
 * `node_modules/.bin/bun scripts/criu-places.ts REPOSITORY`: in which function of which releases each `BUG at FILE:LINE` of
 * CRIU's stands, as src/explain/bugs.txt has it. With `FILE TEXT` behind it: at which lines each release has a call with that
 * text, for `mended:` in src/explain/entries. The repository may be a bare one; it has to have the tags.
 */
import { spawnSync } from "node:child_process";

const [repository, file, text] = process.argv.slice(2);
if (repository === undefined) {
  process.stderr.write("usage: criu-places.ts REPOSITORY [FILE TEXT]\n");
  process.exit(2);
}

const git = (...words: string[]): string =>
  spawnSync("git", ["-C", repository, ...words], { encoding: "utf8", maxBuffer: 1 << 28 }).stdout;
const numbers = (tag: string): number[] => tag.slice(1).split(".").map(Number);
const compare = (one: string, other: string): number => {
  const [a, b] = [numbers(one), numbers(other)];
  return a[0]! - b[0]! || a[1]! - b[1]! || (a[2] ?? 0) - (b[2] ?? 0);
};
/** From the first on that wrote its lines as today's do. */
const releases = git("tag")
  .split("\n")
  .filter((tag) => /^v\d+(?:\.\d+)+$/.test(tag) && compare(tag, "v1.3") >= 0)
  .sort(compare);

const linesOf = (release: string, path: string): string[] =>
  git("show", `${release}:${path}`).split("\n");

/** Releases that follow each other, as `3.8-3.10`. */
function ranges(having: readonly string[]): string {
  const places = having.map((release) => releases.indexOf(release));
  const rows: string[] = [];
  for (const [at, place] of places.entries()) {
    if (at > 0 && place === places[at - 1]! + 1) continue;
    let end = at;
    while (places[end + 1] === places[end]! + 1) end += 1;
    const [first, last] = [having[at]!.slice(1), having[end]!.slice(1)];
    rows.push(first === last ? first : `${first}-${last}`);
  }
  return rows.join(",");
}

if (file !== undefined && text !== undefined) {
  for (const release of releases) {
    const lines = linesOf(release, file);
    const found = lines.flatMap((line, at) => (line.includes(text) ? at : []));
    // The compiler counts the first line of a call, older ones its last.
    const calls = found.flatMap((at) => {
      let from = at;
      while (from > at - 3 && !/\bpr_\w+\(|\b\w*err\w*\(/.test(lines[from] ?? "")) from -= 1;
      let to = at;
      while (to < at + 4 && !(lines[to] ?? "").includes(";")) to += 1;
      return [from + 1, to + 1];
    });
    if (calls.length > 0)
      process.stdout.write(`${release.slice(1)} ${[...new Set(calls)].join(" ")}\n`);
  }
  process.exit(0);
}

/** A function's name at the margin. */
const named = /^[a-z_][\w \t*]*?\b(\w+)\([^;]*$/;
const places = new Map<string, Map<string, string[]>>();
for (const release of releases) {
  const hits = git("grep", "-nE", String.raw`\bBUG(_ON|_ON_HANDLER)?\s*\(`, release);
  const sources = new Map<string, string[]>();
  for (const [, path, number, code] of hits.matchAll(/^[^:\n]+:([^:\n]+\.[ch]):(\d+):(.*)$/gm)) {
    if (/^(?:test|scripts|Documentation)\//.test(path!) || code!.includes("#define")) continue;
    if (!sources.has(path!)) sources.set(path!, linesOf(release, path!));
    const name = sources
      .get(path!)!
      .slice(0, Number(number))
      .flatMap((line) => named.exec(line)?.[1] ?? [])
      .at(-1);
    if (name === undefined) continue;
    const key = `${path} ${name}`;
    const own = places.get(key) ?? new Map<string, string[]>();
    places.set(key, own.set(number!, [...(own.get(number!) ?? []), release]));
  }
}
for (const [key, own] of [...places].sort(([one], [other]) => (one < other ? -1 : 1))) {
  const rows = [...own].map(([line, having]) => `${line}:${ranges([...new Set(having)])}`);
  process.stdout.write(`${key} ${rows.join(" ")}\n`);
}
