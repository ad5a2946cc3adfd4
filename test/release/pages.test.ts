/** Man pages and completions, as other programs read them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aboutRecriu } from "../../scripts/release/about.ts";
import { manPages } from "../../scripts/release/man.ts";
import { table } from "../../src/cli/table.ts";
import { bash } from "../../src/report/completions/bash.ts";
import { fish } from "../../src/report/completions/fish.ts";
import { zsh } from "../../src/report/completions/zsh.ts";
import { commands } from "../../src/cli/index.ts";
import { criuOptions, recriuOptions } from "../../src/criu/index.ts";
import { recriuBinary } from "../built.ts";
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

test("each page has examples, and the exit codes of its own command", () => {
  const statuses = [...pages].slice(1).map(([name, text]) => {
    expect([name, text]).toEqual([name, expect.stringContaining("\n.SH EXAMPLES\n")]);
    return /\n\.SH "EXIT STATUS"\n([^]*?)\n\.SH/.exec(text)![1]!;
  });
  expect(new Set(statuses).size).toBe(statuses.length);
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
  expect(inBash("")).toEqual([...Object.keys(commands), "help", "version", "--help", "--version"]);
  expect(inBash("restore", "--fi")).toEqual(["--fix", "--file-locks", "--file-validation"]);
  expect(inBash("restore", "--fix", "=")).toEqual(["safe", "host", "none"]);
  expect(inBash("restore", "--verify", "g")).toEqual(["gate"]);
  expect(inBash("preflight", "--only", "=", "pid-in")).toEqual(["pid-in-use"]);
  expect(inBash("restore", "-D", dir.slice(0, -2))).toEqual([dir]);
  expect(inBash("restore", "--manage-cgroups", "=", "s")).toEqual(["soft", "strict"]);
  expect(inBash("show", "--format", "t")).toEqual(["tree", "table"]);
  // Ids with commas between, each once.
  expect(inBash("preflight", "--only", "=", "pid-in-use,pid-m")).toEqual(["pid-in-use,pid-max"]);
  expect(inBash("preflight", "--only", "=", "pid-max,pid-m")).toEqual([]);
  expect(inBash("restore", "--isolate", "=", "pid,")).toEqual([
    "pid,auto",
    "pid,mount",
    "pid,pty",
    "pid,net",
    "pid,ipc",
    "pid,uts",
  ]);
  expect(inBash("restore", "--isolate", "=", "pid,n")).toEqual(["pid,net"]);
  expect(inBash("restore", "--isolate-dir", dir.slice(0, -2))).toEqual([dir]);
  expect(inBash("restore", "--untrusted", "=", "")).toEqual(["yes", "no"]);
  expect(inBash("restore", "--ignore", "=", "pid-max,sched-reset")).toEqual([
    "pid-max,sched-reset-on-fork",
  ]);
  expect(inBash("restore", "--or-else", join(dir, "recriu.b"))).toEqual([join(dir, "recriu.bash")]);
  expect(inBash("verify", "--verify", "=", "")).toEqual(["memory"]);
  expect(inBash("seal", "--w")).toEqual(["--with-files"]);
  expect(inBash("install", "--runtime", "runc,pod")).toEqual(["runc,podman"]);
  // Operands.
  expect(inBash("explain", "pid-i")).toEqual(["pid-in-use"]);
  expect(inBash("explain", join(dir, "recriu.b"))).toEqual([join(dir, "recriu.bash")]);
  expect(inBash("completion", "")).toEqual(["bash", "zsh", "fish"]);
  expect(inBash("help", "pre")).toEqual(["preflight"]);
  expect(inBash("undo", "")).toEqual([]);
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
  expect(inFish("recriu ")).toEqual([...Object.keys(commands), "help", "version"].sort());
  expect(inFish("recriu restore --fi")).toEqual(["--file-locks", "--file-validation", "--fix"]);
  expect(inFish("recriu restore --fix=n")).toEqual(["--fix=none"]);
  expect(inFish("recriu seal --wi")).toEqual(["--with-files"]);
  expect(inFish("recriu restore --isolate=pid,n")).toEqual(["--isolate=pid,net"]);
  expect(inFish("recriu restore --untrusted=y")).toEqual(["--untrusted=yes"]);
  expect(inFish("recriu restore --ignore sched-reset")).toEqual(["sched-reset-on-fork"]);
  expect(inFish("recriu install --runtime d")).toEqual(["docker"]);
  expect(inFish("recriu install --runtime runc,pod")).toEqual(["runc,podman"]);
  expect(inFish("recriu preflight --only=pid-in-use,pid-m")).toEqual(["--only=pid-in-use,pid-max"]);
  expect(inFish("recriu restore --ignore pid-max,pid-m")).not.toContain("pid-max,pid-max");
  expect(inFish("recriu restore --manage-cgroups=st")).toEqual(["--manage-cgroups=strict"]);
  expect(inFish("recriu explain pid-i")).toEqual(["pid-in-use"]);
  expect(inFish("recriu completion ")).toEqual(["bash", "fish", "zsh"]);
  expect(inFish("recriu help pre")).toEqual(["preflight"]);
  expect(inFish("recriu undo ")).toEqual([""]);
});

test("zsh completes them", () => {
  // In a terminal of its own, as zsh completes nowhere else: what is typed there ends with a Tab.
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell 'PS1=; fpath=(${dir} $fpath); autoload -U compinit; compinit -u -D; print REA""DY'
    zpty -r shell out '*READY*'
    for typed; do
      zpty -n -w shell $typed$'\\t'
      zpty -n -w shell $'; print EN""D\\n'
      zpty -r shell out '*END*'
      print -rn -- $out$'\\0'
    done`;
  const expected = {
    "recriu pre": "recriu preflight ;",
    "recriu restore --fix=n": "recriu restore --fix=none ;",
    "recriu restore --dr": "recriu restore --dry-run ;",
    "recriu seal --wi": "recriu seal --with-files ;",
    "recriu restore --isolate=pid,ne": "--isolate=pid,net",
    "recriu restore --untrusted=y": "--untrusted=yes ;",
    "recriu restore --ignore=sched-reset": "--ignore=sched-reset-on-fork",
    "recriu preflight --only=pid-in-u": "--only=pid-in-use",
    "recriu preflight --only=pid-in-use,pid-ma": "--only=pid-in-use,pid-max",
    "recriu install --runtime=runc,pod": "--runtime=runc,podman",
    "recriu restore --manage-cgroups=str": "--manage-cgroups=strict ;",
    "recriu explain pid-in-u": "recriu explain pid-in-use",
    "recriu completion z": "recriu completion zsh ;",
    "recriu help pref": "recriu help preflight ;",
  };
  const typed = Object.keys(expected);
  const { stdout } = runIn("tools", [dir], ["/bin/zsh", "-fc", script, "zsh", ...typed]);
  const outs = stdout.replaceAll("\u0007", "").split("\0");
  for (const [index, words] of typed.entries())
    expect([words, outs[index]]).toEqual([
      words,
      expect.stringContaining(Object.values(expected)[index]!),
    ]);
});

test("recriu completion prints what the packages install, and zsh can read it as it is", () => {
  for (const [shell, file] of Object.entries({
    bash: "recriu.bash",
    zsh: "_recriu",
    fish: "recriu.fish",
  }))
    expect(runHere([recriuBinary, "completion", shell])).toEqual({
      exit: 0,
      stdout: readFileSync(at(file), "utf8"),
      stderr: "",
    });
  const script = `autoload -U compinit; compinit -u -D; source ${at("_recriu")}; print $_comps[recriu]`;
  expect(runIn("tools", [dir], ["/bin/zsh", "-fc", script])).toEqual({
    exit: 0,
    stdout: "_recriu\n",
    stderr: "",
  });
  expect(runHere([recriuBinary, "completion", "tcsh"])).toMatchObject({ exit: 2, stdout: "" });
});
