/**
 * Every remedy that is a command, or an option, is typed by a staged test as it is shown. Which checks have one is read from
 * the source: those from whose declaration a template of `sh`, or an option, is reached. Which are typed, too.
 */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { catalogue } from "../../src/checks/index.ts";
import { nameOf } from "../../scripts/catalogue.ts";
import { exempt } from "./exempt.ts";

const root = join(import.meta.dir, "../..");
const files = (dir: string) =>
  (readdirSync(join(root, dir), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ path: join(dir, file), text: readFileSync(join(root, dir, file), "utf8") }));

interface Declaration {
  name: string;
  text: string;
}

/** The declarations at the top of a file; what is not declared (imports, comments) is left out. */
const declarations = (text: string): Declaration[] =>
  text
    .split(/^(?=(?:export )?(?:async )?(?:const|function) \w)/m)
    .slice(1)
    .map((part) => ({
      name: /^(?:export )?(?:async )?(?:const|function) (\w+)/.exec(part)![1]!,
      // What is said in words is no use of a name.
      text: part.replace(/^\s*(?:\/\/|\/?\*).*$/gm, ""),
    }));

interface Source {
  declarations: Declaration[];
  /** The file that a name is imported from. */
  imports: Map<string, string>;
}

const sources = new Map(
  files("src/checks").map(({ path, text }): [string, Source] => [
    path,
    {
      declarations: declarations(text),
      imports: new Map(
        [...text.matchAll(/^import (?:type )?\{([^}]*)\} from "(\.[^"]+)"/gm)].flatMap(
          ([, names, from]) =>
            names!
              .split(",")
              .map((name): [string, string] => [
                name.replace(/^.* as /s, "").trim(),
                join(dirname(path), from!),
              ]),
        ),
      ),
    },
  ]),
);

const makesOne = /\bsh`|\btypedOption\(|\boption: ["`]--/;

/** Whether a remedy that can be typed is made in the declaration or in what it names. */
function reaches({ name, text }: Declaration, of: Source, seen = new Set<string>()): boolean {
  if (seen.has(text)) return false;
  seen.add(text);
  if (makesOne.test(text)) return true;
  return [...new Set(text.match(/\b[a-z]\w+\b/g))].some((used) => {
    if (used === name) return false;
    const from = of.imports.get(used);
    const source = from === undefined ? of : sources.get(from);
    const named = source?.declarations.find((each) => each.name === used);
    return named !== undefined && reaches(named, source!, seen);
  });
}

const idOf = new Map<string, string>(catalogue.map(({ id }) => [nameOf(id), id]));

const checks = [...sources.values()].flatMap((source) =>
  source.declarations
    .filter(({ text }) => /^export const \w+: Check = /.test(text))
    .map((each) => ({ id: idOf.get(each.name)!, each, source })),
);

/** The refusals of --untrusted have one command, made for all of them: --allow-write. */
const withRemedy = checks
  .filter(({ each, source }) => !each.text.includes("refusal({") && reaches(each, source))
  .map(({ id }) => id);

const staged = files("test")
  .map(({ text }) => text)
  .join("\n");
const typed = new Set(
  [
    /\btyped(?:AndStays)?\(\s*stage,[^"]*"([a-z-]+)"/g,
    /\bforetold\(stage, \{\s*id: "([a-z-]+)",[^;]*?\bmend: "typed"/g,
  ].flatMap((call) => [...staged.matchAll(call)].map(([, id]) => id!)),
);

test("the source is understood: every check is found in it, and those with a command among them", () => {
  expect(checks.map(({ id }) => id).toSorted()).toEqual(catalogue.map(({ id }) => id).toSorted());
  for (const id of ["cwd-missing", "tty-stdin", "tcp-established", "unix-socket-dir", "locks-held"])
    expect(withRemedy).toContain(id);
  for (const id of ["image-missing", "image-forged"]) expect(withRemedy).not.toContain(id);
});

test("what can be typed is typed by a test, or it says why that cannot be", () => {
  const ids = new Set(withRemedy);
  const missing = [...ids].filter((id) => !typed.has(id) && !(id in exempt));
  expect(missing.toSorted()).toEqual([]);
  // An exemption that is not needed is none.
  expect(Object.keys(exempt).filter((id) => !ids.has(id) || typed.has(id))).toEqual([]);
});
