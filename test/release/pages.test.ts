/** Man pages and completions, as other programs read them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aboutRecriu } from "../../scripts/release/about.ts";
import { bash, fish, zsh } from "../../scripts/release/completions.ts";
import { manPages } from "../../scripts/release/man.ts";
import { table } from "../../scripts/release/table.ts";
import { commands } from "../../src/cli/index.ts";
import { criuOptions, recriuOptions } from "../../src/criu/index.ts";
import { runHere, runIn } from "./systems.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-pages-"));
const at = (name: string) => join(dir, name);
let pages: Map<string, string>;

beforeAll(async () => {
  const known = await table();
  pages = manPages(known, await aboutRecriu());
  for (const [name, text] of pages) writeFileSync(at(name), text);
  writeFileSync(at("recriu.bash"), bash(known));
  writeFileSync(at("_recriu"), zsh(known));
  writeFileSync(at("recriu.fish"), fish(known));
});
afterAll(() => rmSync(dir, { recursive: true }));

test("there is a man page for every command, and mandoc has nothing to say about any", () => {
  const wanted = Object.keys(commands).map((name) => `recriu-${name}.8`);
  expect([...pages.keys()]).toEqual(["recriu.8", ...wanted]);
  const files = [...pages.keys()].map(at);
  const lint = runIn("tools", [dir], ["/usr/bin/mandoc", "-T", "lint", "-W", "warning", ...files]);
  expect(lint).toEqual({ exit: 0, stdout: "", stderr: "" });
});

test("recriu-restore(8) has every option, recriu's and CRIU's, and names the other pages", () => {
  const { stdout } = runIn(
    "tools",
    [dir],
    ["/usr/bin/mandoc", "-T", "utf8", at("recriu-restore.8")],
  );
  const text = stdout.replace(/.\u0008/g, "");
  for (const { name } of recriuOptions) expect(text).toContain(`--${name}`);
  for (const { name, negatable } of criuOptions.filter(({ restore }) => restore))
    expect(text).toContain(negatable ? `--[no-]${name}` : `--${name}`);
  expect(text).toContain("--fix[=safe|host|none]");
  expect(text).toContain("-D, --images-dir DIR");
  expect(text).toMatch(/SEE ALSO[^]*recriu\(8\)[^]*recriu-verify\(8\)/);
});

/** What bash offers for the last of the words. */
function inBash(...words: string[]): string[] {
  const script = `
    source "$1"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _recriu
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = runHere(["bash", "-c", script, "bash", at("recriu.bash"), "recriu", ...words]);
  return stdout.split("\n").filter((line) => line !== "");
}

test("bash completes commands, options and what stands for them", () => {
  expect(inBash("")).toEqual([...Object.keys(commands), "--help", "--version"]);
  expect(inBash("restore", "--fi")).toEqual(["--fix", "--file-locks", "--file-validation"]);
  expect(inBash("restore", "--fix", "=")).toEqual(["safe", "host", "none"]);
  expect(inBash("restore", "--verify", "g")).toEqual(["gate"]);
  expect(inBash("preflight", "--only", "=", "pid-in")).toEqual(["pid-in-use"]);
  expect(inBash("restore", "-D", dir.slice(0, -2))).toEqual([dir]);
});

test("fish completes them", () => {
  const inFish = (line: string): string[] => {
    const script = `source ${at("recriu.fish")}; complete -C ${JSON.stringify(line)}`;
    const { stdout, stderr } = runIn(
      "tools",
      [dir],
      ["/usr/bin/fish", "--no-config", "-c", script],
    );
    expect(stderr).toBe("");
    return stdout
      .trim()
      .split("\n")
      .map((each) => each.split("\t")[0]!);
  };
  expect(inFish("recriu ")).toEqual(Object.keys(commands).sort());
  expect(inFish("recriu restore --fi")).toEqual(["--file-locks", "--file-validation", "--fix"]);
  expect(inFish("recriu restore --fix=n")).toEqual(["--fix=none"]);
  expect(inFish("recriu install --runtime d")).toEqual(["docker"]);
});

test("zsh completes them", () => {
  // In a terminal of its own, as zsh completes nowhere else: what is typed there ends with a Tab.
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell 'PS1=; fpath=(${dir} $fpath); autoload -U compinit; compinit -u -D; print REA""DY'
    zpty -r shell out '*READY*'
    zpty -n -w shell $1$'\\t'
    zpty -n -w shell $'; print EN""D\\n'
    zpty -r shell out '*END*'
    print -r -- $out`;
  const inZsh = (typed: string): string =>
    runIn("tools", [dir], ["/bin/zsh", "-fc", script, "zsh", typed]).stdout.replaceAll(
      "\u0007",
      "",
    );
  expect(inZsh("recriu pre")).toContain("recriu preflight ;");
  expect(inZsh("recriu restore --fix=n")).toContain("recriu restore --fix=none ;");
  expect(inZsh("recriu restore --dr")).toContain("recriu restore --dry-run ;");
});
