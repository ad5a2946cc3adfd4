/**
 * Every command that recriu prints is made by a template of `sh`. All of them, found in the source, are made with hostile
 * names in every place and run in dash and bash, every program replaced by one that notes its words.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBytes, toBytes } from "../../src/image/text.ts";
import { harmless } from "../../src/report/terminal.ts";
import { sh } from "../../src/sys/shell.ts";
import { hostile } from "../sys/hostile-names.ts";

const src = join(import.meta.dir, "../../src");
const sources = (readdirSync(src, { recursive: true }) as string[])
  .filter((file) => file.endsWith(".ts") && file !== "sys/shell.ts")
  .map((file) => ({ file, text: readFileSync(join(src, file), "utf8") }));

interface Template {
  file: string;
  /** As the tag gets them: one more than there are holes. */
  texts: string[];
  /** The expressions. */
  holes: string[];
}

/** The template whose backtick is at `start`, and where it ends. */
function templateAt(text: string, start: number): Omit<Template, "file"> & { end: number } {
  const [texts, holes] = [[""], [] as string[]];
  let at = start + 1;
  for (; text[at] !== "`"; at++) {
    const escaped = text[at] === "\\";
    if (escaped) at++;
    if (escaped || !text.startsWith("${", at)) {
      texts.push(texts.pop() + text[at]!);
      continue;
    }
    const from = (at += 2);
    for (let depth = 1; ; at++) {
      if (text[at] === "`") at = templateAt(text, at).end;
      depth += text[at] === "{" ? 1 : text[at] === "}" ? -1 : 0;
      if (depth === 0) break;
    }
    holes.push(text.slice(from, at));
    texts.push("");
  }
  return { texts, holes, end: at };
}

const templates: Template[] = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/\bsh`/g)].map(({ index }) => ({ file, ...templateAt(text, index + 2) })),
);
const shown = ({ file, texts, holes }: Template) =>
  `${file}: ${String.raw({ raw: texts }, ...holes.map((hole) => `\${${hole}}`))}`;

/** A hole for a list of words, which may be options. */
const isList = (hole: string) =>
  /^\[|\bargv$|^(?:options|words|prefix)$|^(?:again|againStaying|sameCall)\(/.test(hole);

/** The programs of the templates: the words that commands begin with. */
const programs = [
  ...new Set(
    templates.flatMap(({ texts, holes }) =>
      holes.length === 0
        ? []
        : (texts.join(" ").match(/(?<=^|[|;&] |\$\()(?!exec )[a-z][\w-]*(?= |$)/g) ?? []),
    ),
  ),
];
/** Each program into a file of its own: those of a pipeline run at once. */
const note = (name: string) => `printf '%s\\0' "$@" >>"$words.${name}"`;
/** A function stands before a builtin of its name, but cannot have a dash in its own. */
const functions = programs.filter((name) => !name.includes("-"));
const scripts = ["recriu", ...programs.filter((name) => name.includes("-"))];

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), "recriu-commands-"))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Made {
  template: Template;
  values: string[];
  command: string;
}

/**
 * Run each command in an empty directory of its own. Returns, for each, the words that programs were given, and the names
 * of the files that were made.
 */
function run(shell: string, commands: readonly Made[]): string[][] {
  const script = functions.map((name) => `${name}() { ${note(name)}; }`);
  for (const [at, { template, values, command }] of commands.entries()) {
    const there = join(dir, `${at}`);
    mkdirSync(there);
    writeFileSync(join(there, "PATH"), "");
    // What is read from is there, and what is written to below a name.
    for (const [hole, value] of values.entries())
      if (template.texts[hole]!.endsWith("<"))
        writeFileSync(Buffer.from(toBytes(`${there}/${value}`)) as unknown as string, "");
    for (const [hole, value] of values.entries())
      if (template.texts[hole + 1]!.startsWith("/"))
        mkdirSync(Buffer.from(toBytes(`${there}/${value}`)) as unknown as string);
    // Options are typed behind a program's name.
    const options = template.texts[0]!.startsWith("--");
    // So are words that begin with a value: no program of that name is there to note them.
    const named =
      template.texts[0] === "" ? command.replace(/^(name\d=.*? && )*/s, "$&recriu ") : command;
    const typed = options ? command.replace(/(?<=^|&& )--/, "recriu --") : named;
    // What only the caller knows (a NAME, a PID) is not here.
    const opened = typed.replace(/ 9<>?\/\S*[A-Z]\S*$/, " 9</dev/null");
    script.push(`words=${there}.words; cd ${there}; (${opened}\n)`);
  }
  for (const name of scripts)
    writeFileSync(join(dir, name), `#!/bin/sh\n${note(name)}\n`, { mode: 0o755 });
  writeFileSync(join(dir, "script"), [...script, "wait"].join("\n"));
  const env = { PATH: dir, here: dir, words: "" };
  Bun.spawnSync([Bun.which(shell)!, "-a", join(dir, "script")], { env, cwd: dir, stdin: "ignore" });
  const seen = commands.map((_, at) => {
    const noted = readdirSync(dir)
      .filter((file) => file.startsWith(`${at}.words.`))
      .flatMap((file) => fromBytes(readFileSync(join(dir, file))).split("\0"));
    const files = readdirSync(join(dir, `${at}`), { encoding: "buffer", recursive: true });
    return [...noted, ...files.map(fromBytes).flatMap((file) => [file, `./${file}`])];
  });
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true });
  return seen;
}

/** The words that have values in them as a shell should see them: literal text around a value belongs to its word. */
function expected({ texts, holes }: Template, values: readonly string[]): string[] {
  const hole = (at: number) => (at < holes.length ? `\u0001${at}\u0002` : "");
  const marked = texts.map((text, at) => text + hole(at)).join("");
  const words = marked.split(/(?:[\s"();|&]|\d?[<>])+/).filter((word) => word.includes("\u0001"));
  return words.map((word) => {
    const begins = /^\u0001(\d+)/.exec(word)?.[1];
    const before = marked.slice(0, marked.indexOf(word));
    const path =
      begins !== undefined && !isList(holes[Number(begins)]!) && !before.includes(" -- ");
    const text = word.replace(/\u0001(\d+)\u0002/g, (_, at: string) => values[Number(at)]!);
    return path && text.startsWith("-") ? `./${text}` : text;
  });
}

test("the source has commands, in most families of checks", () => {
  expect(templates.length).toBeGreaterThan(80);
  expect(new Set(templates.map(({ file }) => file)).size).toBeGreaterThan(35);
});

for (const shell of ["dash", "bash"])
  test(`${shell}: what is put into a command is one word of it, and nothing else runs`, () => {
    // test/sys/shell.test.ts takes every one; here one of each kind that is quoted otherwise is enough.
    for (const name of [hostile[1]!, hostile[2]!, "'$(touch PWNED)'"]) {
      const commands = templates
        .filter(({ holes }) => holes.length > 0)
        .map((template) => {
          const values = template.holes.map((_, at) => name + (at === 0 ? "" : at));
          const parts = values.map((value, at) => (isList(template.holes[at]!) ? [value] : value));
          const command = sh(template.texts as unknown as TemplateStringsArray, ...parts);
          return { template, values, command };
        });
      const seen = run(shell, commands);
      for (const [at, { template, values, command }] of commands.entries()) {
        expect(harmless(command)).toBe(command);
        const missing = expected(template, values).filter((word) => !seen[at]!.includes(word));
        const strange = seen[at]!.filter((word) => /^(\.\/)?PWNED$/.test(word));
        const what = { command: shown(template), missing, strange };
        expect(what).toEqual({ ...what, missing: [], strange: [] });
      }
    }
  });

test("nothing goes around it", () => {
  const casts = sources.filter(({ text }) => /\bas (?:unknown as )?ShellCommand/.test(text));
  expect(casts.map(({ file }) => file)).toEqual([]);
  // In quotes a value would not be quoted but end them; only "$(" begins anew.
  const inQuotes = templates.filter(({ texts }) =>
    texts.some((text) => /['`]/.test(text) || /"(?!\$\(|\$here|\$@|$|\s)/.test(text)),
  );
  expect(inQuotes.map(shown)).toEqual([]);
});

test("commands and options inside of texts are made by it, too", () => {
  const verb = "restore|preflight|verify|show|explain|seal|pack|undo|doctor|install|uninstall";
  const typed = new RegExp(
    `(?<!\\bsh|option: |typedOption\\()\`[^\`]*(?:recriu (?:${verb}) (?=-|\\$)[^\`]*|--(?:external|inherit-fd|allow-grown|root)[ =][^ \`]*)\\$\\{`,
  );
  expect("text: `it is not sealed: recriu seal ${dir}`").toMatch(typed);
  // What the room criu makes are words for CRIU, not for a shell.
  const printed = sources.filter(({ file }) => !file.startsWith("criu/"));
  const untyped = printed.flatMap(({ file, text }) =>
    text.split("\n").flatMap((line) => (typed.test(line) ? `${file}: ${line.trim()}` : [])),
  );
  expect(untyped).toEqual([]);
});
