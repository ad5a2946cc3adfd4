/** What people read of findings: what is for them first, what recriu solves marked so, many as a table. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/checks/index.ts";
import { sh } from "../../src/sys/shell.ts";
import { isPlaceholder, scriptOf } from "../../src/report/script.ts";
import { planFor } from "../../src/plan/index.ts";
import { printFindings } from "../../src/report/findings.ts";
import { captured } from "../../src/report/terminal.ts";

const found = (id: string, more: Partial<Finding>): Finding => ({
  id,
  severity: "blocker",
  task: null,
  image: "",
  subject: id,
  message: `${id} is wrong`,
  criu_message: null,
  isolate: null,
  apart: null,
  over: null,
  remedy: { kind: "human", text: "mend it", command: null },
  ...more,
});
const directory = found("unix-socket-dir", {
  remedy: {
    kind: "repair",
    text: "make it",
    command: "mkdir /x" as never,
    repair: { action: "mkdir", root: "/", path: "/x", mode: 0o755, uid: 0, gid: 0 },
  },
});
const warning = found("file-changed", { severity: "warning" });
const blocker = found("pid-in-use", {});

const told = (findings: Finding[], fix: "safe" | "none" = "safe", all = false) =>
  captured(() => printFindings(findings, planFor(findings, [], fix), all));

test("what a person must do comes first; what recriu solves is marked, and has nothing to type", () => {
  const text = told([warning, directory, blocker]);
  const heads = text.split("\n").filter((line) => /^\w+\[/.test(line));
  expect(heads.map((line) => line.split(":")[0])).toEqual([
    "blocker[pid-in-use]",
    "solved[unix-socket-dir]",
    "warning[file-changed]",
  ]);
  expect(text).toContain("solved by recriu: make it");
  expect(text).not.toContain("mkdir /x");
});

test("with --fix=none nothing is solved: the command is a person's", () => {
  const text = told([directory], "none");
  expect(text).toStartWith("blocker[unix-socket-dir]");
  expect(text).toContain("do        make it");
  expect(text).toContain("mkdir /x");
});

test("twenty-seven findings are twenty-seven lines, and in full where that is asked for", () => {
  const many = Array.from({ length: 27 }, (_, n) => found(`a-${n}`, { message: `what ${n}\nis` }));
  const rows = told(many).trimEnd().split("\n");
  expect(rows.length).toBe(27);
  expect(rows[0]).toBe("blocker  a-0   what 0\\x0ais");
  expect(told(many, "safe", true).match(/^ {2}do {8}/gm)?.length).toBe(27);
});

test("a script restores at its end, by the command that is itself a restore where there is one, and not before a person acted", () => {
  const option = found("tcp-established", {
    remedy: {
      kind: "option",
      text: "close them",
      command: null,
      option: "--tcp-close",
      automatic: false,
    },
  });
  const wrapped = found("shell-job-session", {
    remedy: { kind: "human", text: "", command: "setsid --wait recriu restore -D x" as never },
  });
  const named = found("external-netns", {
    remedy: { kind: "human", text: "", command: "recriu restore -D x 9</run/netns/NAME" as never },
  });
  const file = found("file-missing\n", {
    remedy: { kind: "human", text: "a\nb", command: sh`touch ${"recriu restore"}` },
  });
  const last = (...unanswered: Finding[]) => {
    const plan = planFor(unanswered, [], "safe");
    const asked = { settings: { words: [] }, request: { argv: ["-D", "x"] }, images: "x\n", plan };
    return scriptOf(asked as never)
      .split("\n")
      .slice(-4);
  };
  expect(last(file)).toEqual(["#    a\\x0ab", "touch 'recriu restore'", "", "recriu restore -D x"]);
  expect(last(option).at(-1)).toBe("recriu restore -D x --tcp-close");
  expect(last(option, wrapped).at(-1)).toBe("setsid --wait recriu restore -D x --tcp-close");
  for (const by of [blocker, named])
    expect(last(by, file).slice(0, 2)).toEqual([
      "echo 'to be done by hand, as the comments say: 1' >&2",
      "exit 3",
    ]);
  expect(last(wrapped, wrapped)[1]).toBe("exit 3");
  // A placeholder in an option is a person's, and no option gets into another program's quotes.
  const mapped = found("external-mount-unmapped", {
    remedy: { ...option.remedy, option: "--external mnt[key]:PATH" } as never,
  });
  const quoting = found("tty-stdin", {
    remedy: {
      kind: "human",
      text: "",
      command: "script -qec 'recriu restore -D x' /dev/null" as never,
    },
  });
  expect(last(mapped).slice(1, 2)).toEqual(["exit 3"]);
  expect(last(quoting).at(-1)).toBe("script -qec 'recriu restore -D x' /dev/null");
  expect(last(quoting, option)[1]).toBe("exit 3");
});

test("every word in capitals that a check's command or option has for a person to fill in is known as one", () => {
  const dir = join(import.meta.dir, "../../src/checks");
  const words = (readdirSync(dir, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(join(dir, file), "utf8").matchAll(
        /(?:\bsh|option: |typedOption\()(?:`([^`]*)`|"([^"]*)")/g,
      ),
    ])
    .flatMap(([, template, text]) => [
      ...(template ?? text!)
        .replace(/\$\{[^}]*\}/g, "x")
        .matchAll(/(?<![\w.$-])([A-Z]{2,}|N)(?![\w.=-])/g),
    ])
    .map(([word]) => word)
    .filter((word) => word !== "TARGET"); // a column of findmnt(8)
  expect(new Set(words).size).toBeGreaterThan(5);
  expect([...new Set(words)].filter((word) => !isPlaceholder(word))).toEqual([]);
});
