/**
 * Every remedy that is a command, or an option, is typed by a staged test as it is shown. Which checks have one is read from
 * the source: those from whose declaration a template of `sh`, or an option, is reached. Which are typed, too.
 */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../src/checks/index.ts";
import { exempt } from "./exempt.ts";

const root = join(import.meta.dir, "../..");
const files = (dir: string) =>
  (readdirSync(join(root, dir), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(root, dir, file), "utf8"));

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

const all = files("src/checks").map(declarations);
const exported = new Map(
  all.flatMap((file) =>
    file
      .filter(({ text }) => text.startsWith("export "))
      .map((each) => [each.name, { each, file }]),
  ),
);

const makesOne = /\bsh`|\btypedOption\(|\boption: ["`]--/;

/** Whether a remedy that can be typed is made in the declaration or in what it names. */
function reaches(start: Declaration, file: Declaration[], seen = new Set<string>()): boolean {
  if (seen.has(start.name)) return false;
  seen.add(start.name);
  if (makesOne.test(start.text)) return true;
  return [...new Set(start.text.match(/\b[a-z]\w+\b/g))].some((name) => {
    const own = file.find((each) => each.name === name);
    if (own !== undefined) return reaches(own, file, seen);
    const other = exported.get(name);
    return other !== undefined && reaches(other.each, other.file, seen);
  });
}

const withRemedy = all.flatMap((file) =>
  file.flatMap((each) => {
    const id = /: Check = \{[^]*?\bid: (?:"([\w-]+)"|ID)/.exec(each.text);
    if (id === null) return [];
    const name =
      id[1] ?? /const ID = "([\w-]+)"/.exec(file.map(({ text }) => text).join("\n"))![1]!;
    return reaches(each, file) ? [name] : [];
  }),
);

const staged = files("test").join("\n");
const typed = new Set(
  [
    /\btyped(?:AndStays)?\(\s*stage,[^"]*"([a-z-]+)"/g,
    /\bstageCheck\(\{\s*id: "([a-z-]+)",[^;]*?\bmend: "typed"/g,
  ].flatMap((call) => [...staged.matchAll(call)].map(([, id]) => id!)),
);

test("the source is understood: every check is found in it, and those with a command among them", () => {
  const found = all.flatMap((file) => file.filter(({ text }) => /: Check = \{/.test(text)));
  // Those of untrusted trees are made from pages, which have one command: --allow-write.
  const pages = all
    .flat()
    .find(({ name }) => name === "pages")!
    .text.match(/^    id: "/gm)!;
  expect(found.length + pages.length).toBe(catalogue.length);
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
