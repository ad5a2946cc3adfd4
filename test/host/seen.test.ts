/** The machine is seen through Host: what a check imports beside it sees nothing, so that a test can say what there is. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const src = join(import.meta.dir, "../../src");
const files = (readdirSync(src, { recursive: true }) as string[]).filter((file) =>
  file.endsWith(".ts"),
);

interface Import {
  /** A file of src, or a module's name. */
  from: string;
  /** What is imported beside types; `*` for all of it. */
  values: string[];
}

const texts = new Map(files.map((file) => [file, readFileSync(join(src, file), "utf8")]));

function importsOf(file: string): Import[] {
  const text = texts.get(file)!;
  const target = (from: string) =>
    from.startsWith(".") ? normalize(join(dirname(file), from)) : from;
  const lists = text.matchAll(/^(?:import|export) (type )?(?:\{([^}]*)\}|\S.*?) from "([^"]+)"/gm);
  const dynamic = text.matchAll(/\bimport\("([^"]+)"\)/g);
  return [
    ...[...lists].map(([, type, names, from]) => ({
      from: target(from!),
      values:
        type !== undefined
          ? []
          : (names?.split(",") ?? ["*"])
              .map((name) => name.trim())
              .filter((name) => name !== "" && !name.startsWith("type ")),
    })),
    ...[...dynamic].map(([, from]) => ({ from: target(from!), values: ["*"] })),
  ];
}

/** Numbers and names of the kernel's are the same everywhere. */
const isConstant = (name: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(name);

/** Of node: modules what is no function: `constants` of node:fs. */
const seesNothing = ({ from, values }: Import): boolean =>
  values.every((name) => name === "constants" && from === "node:fs");

/** Whether nothing in a file, or in what it imports, looks at the machine. */
const blind = new Map<string, boolean>();
function isBlind(file: string): boolean {
  const known = blind.get(file);
  if (known !== undefined) return known;
  blind.set(file, true); // until something is found: files that import each other
  const code = texts.get(file)!.replace(/\/\*.*?\*\/|\/\/.*$/gms, "");
  const found =
    !/\b(?:process|Bun)\.\w|\bfetch\(/.test(code) &&
    importsOf(file).every((each) => isAllowed(each));
  blind.set(file, found);
  return found;
}

const isAllowed = (each: Import): boolean =>
  each.values.length === 0 || (texts.has(each.from) ? isBlind(each.from) : seesNothing(each));

/** What runs CRIU or reads its files: Context has the answers. */
const asksCriu =
  /^(?:findCriu|identify|startRefusal|cpuRefusal|hasFeature|startCriu|linesOf|lastLineOf|readOwnConfig)$/;

/** Looks at nothing but the memory of this process, and answers nothing. */
const GARBAGE = "sys/garbage.ts";

/** Tells of the CRIU that is here, where there is no restore whose Context would. */
const DOCTOR = "checks/doctor.ts";

test("the rule finds what sees the machine, and what does not", () => {
  for (const file of ["sys/errno.ts", "sys/path.ts", "sys/shell.ts", "sys/text.ts", "sys/sched.ts"])
    expect([file, isBlind(file)]).toEqual([file, true]);
  for (const file of ["sys/stat.ts", "host/index.ts", "host/processes.ts", "host/limits.ts"])
    expect([file, isBlind(file)]).toEqual([file, false]);
});

test("checks see the machine through Host only", () => {
  const sees = (file: string, each: Import): boolean => {
    if (each.from.startsWith("criu/"))
      return file !== DOCTOR && each.values.some((name) => asksCriu.test(name));
    if (each.from === GARBAGE) return false;
    if (each.from.startsWith("sys/") && each.values.every(isConstant)) return false;
    return !/^(?:checks|image)\//.test(each.from) && !isAllowed(each);
  };
  const seeing = files
    .filter((file) => file.startsWith("checks/"))
    .flatMap((file) =>
      importsOf(file)
        .filter((each) => sees(file, each))
        .map(({ from, values }) => `${file}: ${values.join(", ")} of ${from}`),
    );
  expect(seeing).toEqual([]);
});

test("what this process may do is asked by its effective ids, as CRIU's will be", () => {
  const asking = files.filter((file) => /\baccessSync\(|\bgetuid\(/.test(texts.get(file)!));
  expect(asking).toEqual([]);
});
