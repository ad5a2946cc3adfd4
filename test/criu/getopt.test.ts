import { describe, expect, test } from "bun:test";
import { longNames } from "../../src/criu/option-names.ts";
import { commandOf, criuOptions, recriuOptions, parseWords } from "../../src/criu/index.ts";

/** Words as CRIU's parser sees them: `name`, `name=value`, `no-name`; then the operands. */
function parsed(
  words: string,
  posixlyCorrect = false,
): { options: string[]; operands: string[] } | string {
  const result = parseWords(words === "" ? [] : words.split(" "), {
    recriu: recriuOptions,
    posixlyCorrect,
  });
  if (!result.ok) return result.problem;
  const options = result.options.map(
    ({ name, negated, value }) =>
      `${negated ? "no-" : ""}${name}${value === undefined ? "" : `=${value}`}`,
  );
  return { options, operands: [...result.operands] };
}

describe("words that glibc's getopt_long accepts", () => {
  const cases: [words: string, options: string[], operands?: string[]][] = [
    ["", []],
    ["-v", ["verbosity"]],
    ["-v4", ["verbosity=4"]],
    ["-vvvv", ["verbosity=vvv"]],
    ["-v 4", ["verbosity"], ["4"]],
    ["-verbosity=0", ["verbosity=erbosity=0"]],
    ["-dj", ["restore-detached", "shell-job"]],
    ["-djv4", ["restore-detached", "shell-job", "verbosity=4"]],
    ["-Ddir", ["images-dir=dir"]],
    ["-D dir", ["images-dir=dir"]],
    ["-dD dir", ["restore-detached", "images-dir=dir"]],
    ["-D -d", ["images-dir=-d"]],
    ["-D --", ["images-dir=--"]],
    ["-D=dir", ["images-dir==dir"]],
    ["-x12,13", ["ext-unix-sk=12,13"]],
    ["-x 12", ["ext-unix-sk"], ["12"]],
    ["--images-dir=x", ["images-dir=x"]],
    ["--images-dir x", ["images-dir=x"]],
    ["--images-dir=", ["images-dir="]],
    ["--images-dir a=b", ["images-dir=a=b"]],
    ["--imag x", ["images-dir=x"]],
    ["--tcp-c", ["tcp-close"]],
    ["--no-tcp-close", ["no-tcp-close"]],
    ["--no-tcp-e", ["no-tcp-established"]],
    ["--all", ["all"]],
    ["--tls", ["tls"]],
    ["--root /", ["root=/"]],
    ["--manage-cgroups ignore", ["manage-cgroups"], ["ignore"]],
    ["--manage-cgroups=ignore", ["manage-cgroups=ignore"]],
    ["restore -d", ["restore-detached"], ["restore"]],
    ["-", [], ["-"]],
    ["a -d b", ["restore-detached"], ["a", "b"]],
    ["-d -- -j", ["restore-detached"], ["-j"]],
    ["a -- b -- c", [], ["a", "b", "--", "c"]],
  ];
  test.each(cases)("%s", (words, options, operands = []) => {
    expect(parsed(words)).toEqual({ options, operands });
  });
});

describe("words that it refuses, in its own words", () => {
  const cases: [words: string, problem: string][] = [
    ["--tcp", "option '--tcp' is ambiguous; possibilities: '--tcp-established' '--tcp-close'"],
    ["--ver", "option '--ver' is ambiguous; possibilities: '--version' '--verbosity'"],
    ["--verify-all", "unrecognized option '--verify-all'"],
    ["--nonsense=1", "unrecognized option '--nonsense'"],
    ["---d", "unrecognized option '---d'"],
    ["--tcp-close=yes", "option '--tcp-close' doesn't allow an argument"],
    ["--no-tcp-c=yes", "option '--no-tcp-close' doesn't allow an argument"],
    ["-d --root", "option '--root' requires an argument"],
    ["-dD", "option requires an argument -- 'D'"],
    ["-dq", "invalid option -- 'q'"],
    ["--no-root /", "unrecognized option '--no-root'"],
    ["--no-lazy-pages", "unrecognized option '--no-lazy-pages'"],
  ];
  test.each(cases)("%s", (words, problem) => {
    expect(parsed(words)).toBe(problem);
  });
});

test("POSIXLY_CORRECT: the first operand ends the options", () => {
  expect(parsed("-d a -j", true)).toEqual({
    options: ["restore-detached"],
    operands: ["a", "-j"],
  });
  expect(parsed("-d -- a -j", true)).toEqual({
    options: ["restore-detached"],
    operands: ["a", "-j"],
  });
});

describe("recriu's own options", () => {
  test("are taken out of CRIU's words, which stay as they were typed", () => {
    const words =
      "-Ddir --dry-run --imag x --verify off -dj --fix=none --json --ignore=a -- --json".split(" ");
    const result = parseWords(words, { recriu: recriuOptions });
    if (!result.ok) throw new Error(result.problem);
    expect(result.argv).toEqual(["-Ddir", "--imag", "x", "-dj", "--", "--json"]);
    expect(result.recriuOptions.map(({ name, value }) => [name, value])).toEqual([
      ["dry-run", undefined],
      ["verify", "off"],
      ["fix", "none"],
      ["json", undefined],
      ["ignore", "a"],
    ]);
    expect(result.rest).toEqual(["--json"]);
    expect(result.options.map(({ argv }) => argv)).toEqual([
      ["-Ddir"],
      ["--imag", "x"],
      ["-dj"],
      ["-dj"],
    ]);
  });

  test("cannot be abbreviated", () => {
    expect(parsed("--dry")).toBe("unrecognized option '--dry'");
    expect(parsed("--js")).toBe("unrecognized option '--js'");
  });

  test("obey getopt's rules for values", () => {
    expect(parsed("--json=1")).toBe("option '--json' doesn't allow an argument");
    expect(parsed("--criu")).toBe("option '--criu' requires an argument");
  });

  test("none is one of CRIU's or the beginning of one", () => {
    const clashes = recriuOptions.filter((own) =>
      longNames().some(({ long }) => long.startsWith(own.name)),
    );
    expect(clashes).toEqual([]);
  });
});

describe("the table", () => {
  test("has every short option of CRIU", () => {
    const colons = { none: "", required: ":", optional: "::" };
    const shorts = criuOptions.flatMap(({ short, arg }) => (short ? [short + colons[arg]] : []));
    expect(shorts.toSorted().join(" ")).toBe("D: J: L: M: R S V W: d h j l o: r: s t: v:: x::");
  });

  test("names nothing twice", () => {
    const names = longNames().map(({ long }) => long);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(118);
  });
});

describe("the command among the words after criu", () => {
  const cases: [words: string, command: string | undefined, rest?: string][] = [
    ["restore -D x", "restore", "-D x"],
    ["-D x restore -d", "restore", "-D x -d"],
    ["-D restore dump", "dump", "-D restore"],
    ["-- restore", "restore", "--"],
    ["swrk 3", "swrk", "3"],
    ["--version", undefined],
    ["--bogus restore", undefined],
  ];
  test.each(cases)("%s", (words, command, rest = "") => {
    const found = commandOf(words.split(" "));
    expect(found?.command).toBe(command);
    expect(found?.words.join(" ") ?? "").toBe(rest);
  });
});
