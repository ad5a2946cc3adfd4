/**
 * `node_modules/.bin/bun scripts/criu-messages.ts CHECKOUT`: what CRIU can print as an error, from a checkout of its sources:
 * one line a call of pr_err or pr_perror, `FILE <tab> WAY <tab> MESSAGE`. The ways that lead there: d(ump), r(estore), c(heck),
 * s(ervice and the rest), found by which names a definition mentions, so one too many rather than one too few. The message is
 * CRIU's own format with its prefix; `%m` stands for the words of errno. test/explain/messages.tsv is this, of 4.2.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const checkout = process.argv[2];
if (checkout === undefined) {
  process.stderr.write("usage: criu-messages.ts CHECKOUT\n");
  process.exit(2);
}

interface Definition {
  file: string;
  name: string;
  names: Set<string>;
  messages: string[];
}

const sources = ["criu", "plugins", "soccr", "compel/src"].flatMap((dir) =>
  readdirSync(join(checkout, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[ch]$/.test(entry.name))
    .map(({ parentPath, name }) => relative(checkout, join(parentPath, name)))
    // Tests, and the tool that CRIU is built with.
    .filter((file) => !/(^|\/)tests?\/|compel\/src\/(?:main|lib\/handle-elf)/.test(file))
    .sort(),
);
/** Without comments, each string kept as it is. */
const text = new Map(
  sources.map((file) => [
    file,
    readFileSync(join(checkout, file), "utf8").replace(
      /("(?:\\.|[^"\\\n])*")|\/\*[^]*?\*\/|\/\/[^\n]*/g,
      (_, string?: string) => string ?? " ",
    ),
  ]),
);

/** Macros that stand for a piece of a format. */
const pieces = new Map<string, string>();
for (const source of text.values())
  for (const [, name, value] of source.matchAll(/#define\s+(\w+)\s+("(?:[^"\\\n]|\\.)*")\s*$/gm))
    if (name !== "LOG_PREFIX") pieces.set(name!, value!);

const unquote = (literal: string): string =>
  literal
    .slice(1, -1)
    .replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));

/** The first argument of a call: literals and macros, side by side. */
function formatOf(source: string, at: number, prefix: string): string | undefined {
  let format = "";
  const token = /\s*(?:("(?:\\.|[^"\\\n])*")|(\w+)|([,)]))/y;
  token.lastIndex = at;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    const [, literal, name, end] = match;
    if (end !== undefined) return format === "" ? undefined : prefix + format;
    if (literal !== undefined) format += unquote(literal);
    else if (name === "LOG_PREFIX") format += prefix;
    else
      format += pieces.has(name!)
        ? unquote(pieces.get(name!)!)
        : name!.startsWith("PRI")
          ? "lx"
          : "%s";
  }
  return undefined;
}

/** Functions, tables and macros: what has braces at depth 0, with the name before them; a macro with its whole text. */
function bodiesOf(source: string): [name: string, body: string][] {
  const bodies: [string, string][] = [];
  const code = source.replace(/^[ \t]*#(?:.*\\\n)*.*$/gm, (directive) => {
    const macro = /^\s*#\s*define\s+(\w+)\(/.exec(directive);
    if (macro !== null) bodies.push([macro[1]!, directive.slice(macro[0].length)]);
    return "";
  });
  let head = 0;
  let open = 0;
  let depth = 0;
  for (const match of code.matchAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\])*'|[{};]/g)) {
    const [mark] = match;
    if (mark === "{" && (depth += 1) === 1) open = match.index;
    else if (mark === "}" && (depth -= 1) === 0) {
      const before = code.slice(head, open).replace(/__attribute__\s*\(\(.*?\)\)/gs, "");
      const name = /(\w+)\s*(?:\[[^\]]*\]\s*)*(?:\(|=|$)/.exec(before.trim())?.[1];
      if (name !== undefined) bodies.push([name, code.slice(open, match.index)]);
      head = match.index + 1;
    } else if (mark === ";" && depth === 0) {
      bodies.push(["", code.slice(head, match.index)]);
      head = match.index + 1;
    }
  }
  return bodies;
}

function messagesOf(body: string, prefix: string): string[] {
  const messages: string[] = [];
  for (const match of body.matchAll(/\b(pr_err|pr_perror|pr_err_once|loge|logerr)\s*\(/g)) {
    const format = formatOf(body, match.index + match[0].length, prefix);
    if (format === undefined) continue;
    const errno = /perror|logerr/.test(match[1]!) ? ": %m" : "";
    messages.push(format.replace(/\s+/g, " ").trimEnd() + errno);
  }
  return messages;
}

const definitions: Definition[] = [...text].flatMap(([file, source]) => {
  const prefix = unquote(/#define LOG_PREFIX ("[^"]*")/.exec(source)?.[1] ?? '""');
  return bodiesOf(source).map(([name, body]) => ({
    file,
    name,
    names: new Set(body.match(/\b[A-Za-z_]\w+/g)),
    messages: messagesOf(body, prefix),
  }));
});

/** By name: the ones of a file before those of others, as `static` has it. */
const named = Map.groupBy(definitions, ({ name }) => name);
const called = ({ file, names }: Definition): Definition[] =>
  [...names].flatMap((name) => {
    const all = named.get(name) ?? [];
    const own = all.filter((one) => one.file === file);
    return own.length > 0 ? own : all;
  });

function reachedFrom(roots: readonly string[]): Set<Definition> {
  const reached = new Set(roots.flatMap((name) => named.get(name) ?? []));
  for (const one of reached) for (const next of called(one)) reached.add(next);
  return reached;
}
const hooks = (pattern: RegExp): string[] =>
  [...text.values()].flatMap((source) =>
    [...source.matchAll(/CR_PLUGIN_REGISTER_HOOK\(\s*CR_PLUGIN_HOOK__(\w+),\s*(\w+)/g)]
      .filter(([, hook]) => pattern.test(hook!))
      .map(([, , name]) => name!),
  );

const ways = {
  d: reachedFrom([
    "cr_dump_tasks",
    "cr_pre_dump_tasks",
    "parasite_daemon",
    "parasite_daemon_cmd",
    "parasite_trap_cmd",
    ...hooks(/DUMP|PAUSE|CHECKPOINT/),
  ]),
  r: reachedFrom([
    "cr_restore_tasks",
    "__export_restore_task",
    "__export_restore_thread",
    "__export_unmap",
    ...hooks(/RESTORE|RESUME|UPDATE/),
  ]),
  c: reachedFrom(["cr_check", "cpuinfo_dump", "cpuinfo_check"]),
};
for (const one of definitions)
  for (const message of one.messages) {
    const way = (["d", "r", "c"] as const).filter((key) => ways[key].has(one)).join("");
    process.stdout.write(`${one.file}\t${way === "" ? "s" : way}\t${message}\n`);
  }
