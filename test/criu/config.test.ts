import { describe, expect, test } from "bun:test";
import { configSources, parseConfig } from "../../src/criu/index.ts";

/** Compared with CRIU's own parser compiled from its source, on 300,000 random lines; these are the telling ones. */
describe("a configuration file's lines as CRIU reads them", () => {
  const cases: [text: string, words: string[]][] = [
    ["", []],
    ["\n\n   \n", []],
    ["# comment\n#comment\n  # indented\n", []],
    ["tcp-close\n", ["--tcp-close"]],
    ["  tcp-close\n", ["--tcp-close"]],
    ["tcp-close #comment\n", ["--tcp-close"]],
    ["tcp-close", ["--tcp-close"]],
    ["tcp-close\nshell-job\n", ["--tcp-close", "--shell-job"]],
    ["verbosity=4\n", ["--verbosity=4"]],
    ["verbosity 4\n", ["--verbosity", "4"]],
    ["verbosity\t4\n", ["--verbosity", "4"]],
    ["verbosity    4   \n", ["--verbosity", "4"]],
    ["verbosity 4#comment\n", ["--verbosity", "4"]],
    ["verbosity 4 # two words\n", ["--verbosity", "4"]],
    ['work-dir "/a b"\n', ["--work-dir", "/a b"]],
    ['work-dir "/a b" # comment\n', ["--work-dir", "/a b"]],
    ['lsm-profile "selinux:a\\"b\\"c"\n', ["--lsm-profile", 'selinux:a"b"c']],
    ['lsm-profile "" # empty\n', ["--lsm-profile", ""]],
    // A comment begins even inside quotes, and needs no space before it.
    ['log-file "a#b"\n', ["--log-file", "a"]],
    ["log-file a#b\n", ["--log-file", "a"]],
    ["tcp-close#c\n", ["--tcp-close#c"]],
    // The first space separates, though a tab came before.
    ["log-file\ta b\n", ["--log-file\ta", "b"]],
    // A trailing word of one letter is overlooked.
    ["log-file a b\n", ["--log-file", "a"]],
    ["tcp-close \n", ["--tcp-close", ""]],
    // Carriage returns are part of the name, which then is unknown.
    ["tcp-close\r\n", ["--tcp-close\r"]],
    // Blanks at the end of a file without a newline are the word that ends options.
    ["tcp-close\n  ", ["--tcp-close", "--"]],
  ];
  test.each(cases)("%j", (text, words) => {
    expect(parseConfig(text)).toEqual({ ok: true, words });
  });

  const refused: [text: string, line: number][] = [
    ['verbosity "\n', 1],
    ['\n\nwork-dir "/a\n', 3],
    ["verbosity 4 no-comment\n", 1],
    ['work-dir "/a b" no-comment\n', 1],
    ["a b c d e\n", 1],
    // A quoted value with a space beyond the place where the value began in its line.
    ['log-file "aaaaaaaaaaaaaaaaaaaa bbb"\n', 1],
  ];
  test.each(refused)("%j is refused", (text, line) => {
    expect(parseConfig(text)).toMatchObject({ ok: false, line });
  });
});

describe("which files count", () => {
  const standard = ["/etc/criu/default.conf", "/home/u/.criu/default.conf"];
  const cases: [words: string, env: Record<string, string>, files: string[]][] = [
    ["-D x", { HOME: "/home/u" }, standard],
    ["-D x", {}, ["/etc/criu/default.conf"]],
    ["-D x", { HOME: "/home/u", CRIU_CONFIG_FILE: "/e" }, [...standard, "/e"]],
    ["--no-default-config", { HOME: "/home/u", CRIU_CONFIG_FILE: "/e" }, ["/e"]],
    ["--config /c", { HOME: "/home/u", CRIU_CONFIG_FILE: "/e" }, ["/e", "/c"]],
    ["--config=/c", { HOME: "/home/u" }, ["/c"]],
    ["--config /a --config=/b", {}, ["/b"]],
    ["--config", {}, []],
    // Abbreviations are overlooked, but the word counts wherever it stands.
    ["--conf /c", {}, ["/etc/criu/default.conf"]],
    ["-D --config /c", {}, ["/c"]],
    ["-- --config=/c", {}, ["/c"]],
    // CRIU takes what follows the ninth letter, whatever comes first.
    ["-o--config=/c", {}, ["g=/c"]],
  ];
  test.each(cases)("%s", (words, env, files) => {
    expect(configSources(words.split(" "), env)).toEqual({ files, help: false });
  });

  test("help goes before everything, even after --", () => {
    expect(configSources(["--config", "/c", "--", "-h"], {}).help).toBe(true);
    expect(configSources(["--help"], {}).help).toBe(true);
    expect(configSources(["-dh"], {}).help).toBe(false);
  });
});
