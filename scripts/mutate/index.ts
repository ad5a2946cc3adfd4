/**
 * `npm run mutate [-- PATH…]`: whether the tests notice when the code that keeps a user safe is broken. Each mutant of the
 * lists here whose file or reason has PATH in it is put into a copy of the tree, and the tests that have to notice it are
 * run; where they do not, all of its room and of the staged tests. The working tree itself is not touched.
 *
 *     --list      what there is, and whether each still fits the code; runs nothing
 *     --narrow    only the tests that a mutant names
 *     --passing   these are known to pass as they are: that is not looked at first
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { everyMutant, mutate, type Mutant } from "./list.ts";
import { type Result, summary } from "./summary.ts";

const repository = join(import.meta.dir, "../..");
/** Seconds for the tests of one mutant. */
const NARROW_SECONDS = 240;
const WIDE_SECONDS = 3600;
const WIDE = [
  "test/verify",
  "test/repair",
  "test/host",
  "test/checks",
  "test/restore",
  "test/dropin",
];

const words = process.argv.slice(2);
const patterns = words.filter((word) => !word.startsWith("--"));
const all = everyMutant();
const isAsked = ({ file, why }: Mutant) =>
  patterns.length === 0 || patterns.some((each) => file.includes(each) || why.includes(each));
const chosen = all.filter(isAsked);
const texts = textsWith(chosen);
if (words.includes("--list")) {
  for (const { file, why } of chosen) console.log(`${file}: ${why}`);
  console.log(`${chosen.length} mutants; each fits the code`);
  process.exit();
}

const copy = copyOfTree();
try {
  const tests = [...new Set(chosen.flatMap((each) => each.tests))];
  process.stdout.write(`the tests as they are (${tests.length} files) … `);
  const looked = words.includes("--passing") ? [] : tests;
  const failing = new Set(looked.filter((test) => noticed([test], NARROW_SECONDS * 2)));
  console.log(failing.size === 0 ? "pass" : `fail, and say nothing: ${[...failing].join(" ")}`);
  const results = chosen.map((mutant): Result => {
    const result = outcomeOf(mutant, failing);
    console.log(`${result.outcome.padEnd(10)} ${mutant.file}: ${mutant.why}`);
    return result;
  });
  const count = (outcome: Result["outcome"]) =>
    results.filter((each) => each.outcome === outcome).length;
  console.log(
    `${results.length} mutants: ${count("noticed")} noticed, ${count("unnoticed")} unnoticed, ${count("equivalent")} equivalent`,
  );
  if (patterns.length === 0)
    writeFileSync(join(repository, "docs/mutation.md"), summary(results, new Date()));
  process.exitCode = count("unnoticed") === 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true });
}

/** The texts of the files with each mutant in them. Ends where one does not fit the code any more: all that do not are told. */
function textsWith(mutants: readonly Mutant[]): ReadonlyMap<Mutant, string> {
  const found = new Map<Mutant, string>();
  const stale: string[] = [];
  for (const mutant of mutants)
    try {
      found.set(mutant, mutate(readFileSync(join(repository, mutant.file), "utf8"), mutant));
    } catch (error) {
      stale.push((error as Error).message);
    }
  if (stale.length === 0) return found;
  console.error(`${stale.join("\n")}\n${stale.length} mutants do not fit the code`);
  process.exit(2);
}

/** What git knows of the tree, and what is new there; what was fetched is linked. */
function copyOfTree(): string {
  const dir = mkdtempSync(join(tmpdir(), "recriu-mutate-"));
  const copying =
    "git ls-files -z --cached --others --exclude-standard | tar --null -cT - | tar -xC";
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", `${copying} "$0"`, dir], {
    cwd: repository,
  });
  if (exitCode !== 0) throw new Error(`no copy of the tree: ${stderr}`);
  for (const name of ["node_modules", ".cache"])
    symlinkSync(join(repository, name), join(dir, name));
  return dir;
}

/** A test that fails without the mutant, as one may on a machine that has much else to do, has noticed nothing. */
function outcomeOf(mutant: Mutant, failing: ReadonlySet<string>): Result {
  if (mutant.equivalent !== undefined) return { mutant, outcome: "equivalent" };
  const tests = mutant.tests.filter((test) => !failing.has(test));
  const file = join(copy, mutant.file);
  const before = readFileSync(file);
  writeFileSync(file, texts.get(mutant)!);
  try {
    const isNoticed =
      noticed(tests, NARROW_SECONDS) ||
      (!words.includes("--narrow") && noticed(WIDE, WIDE_SECONDS));
    return { mutant, outcome: isNoticed ? "noticed" : "unnoticed" };
  } finally {
    writeFileSync(file, before);
  }
}

/**
 * Whether one of the tests fails, one file after the other, or the program cannot be built any more. What hangs is ended,
 * which is a failure, too.
 */
function noticed(tests: readonly string[], seconds: number): boolean {
  const fails = (...argv: string[]) =>
    Bun.spawnSync(argv, { cwd: copy, stdin: "ignore", stdout: "ignore", stderr: "ignore" })
      .exitCode !== 0;
  const bun = join(copy, "node_modules/.bin/bun");
  let built = false;
  return tests.some((named) => {
    const [test = "", title] = named.split(":");
    const only = title === undefined ? [] : ["-t", title.replaceAll("_", ".")];
    if (!built && needsProgram(test)) {
      if (fails("scripts/build")) return true;
      built = true;
    }
    const limits = ["timeout", "-k", "5", `${seconds}`];
    return fails(...limits, bun, "test", "--timeout=60000", "--bail", test, ...only);
  });
}

/** Whether a test, or what it is made of, runs dist/recriu. */
function needsProgram(test: string, seen = new Set<string>()): boolean {
  if (seen.has(test)) return false;
  seen.add(test);
  if (!test.endsWith(".ts") || test === "test/built.ts") return true;
  const text = readFileSync(join(repository, test), "utf8");
  const imported = [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, path]) =>
    join(dirname(test), path!),
  );
  return imported.some((path) => path.startsWith("test/") && needsProgram(path, seen));
}
