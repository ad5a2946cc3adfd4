/** The knowledge base: every entry explains its example, no two the same line, and its check exists. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../src/checks/index.ts";
import { entries, explain } from "../../src/explain/index.ts";

test("there are enough, most of them seen on real CRIU", () => {
  expect(entries.length).toBeGreaterThanOrEqual(60);
  expect(entries.filter(({ from }) => from === "staged").length).toBeGreaterThanOrEqual(25);
});

test("every entry explains its own example, and is the only one to", () => {
  for (const { example } of entries) {
    const claiming = entries.filter(({ pattern }) => pattern.test(example));
    expect([example, claiming.map(({ example: own }) => own)]).toEqual([example, [example]]);
    const { cause, remedy } = explain(example)!;
    expect([example, cause.length > 10, remedy.length > 5]).toEqual([example, true, true]);
    expect(`${cause} ${remedy}`).not.toMatch(/\$<|undefined/);
  }
});

test("the check that an entry names is in the catalogue; one without a check tells its cause", () => {
  const ids = new Set<string>(catalogue.map(({ id }) => id));
  for (const { check, cause, example } of entries)
    expect([example, check === "" ? cause !== undefined : ids.has(check)]).toEqual([example, true]);
});

test("what is called staged is of a check that test/restore proves, or is quoted there", () => {
  const dir = join(import.meta.dir, "../restore");
  const staged = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(dir, file), "utf8"))
    .join("\n");
  const unseen = entries.filter(
    ({ from, check, pattern }) =>
      from === "staged" &&
      !(check !== "" && staged.includes(`"${check}"`)) &&
      !pattern.test(staged),
  );
  expect(unseen.map(({ example }) => example)).toEqual([]);
});

test("what a log names is quoted in the remedy, as people paste it", () => {
  const remedy = (line: string) => explain(line)?.remedy;
  expect(remedy("pidfile: Can't open /run/$(touch${IFS}x): File exists")).toBe(
    "rm '/run/$(touch${IFS}x)' if its process is gone",
  );
  expect(remedy("pidfile: Can't open -rf: File exists")).toStartWith("rm ./-rf ");
  expect(remedy('execvp("/a\n;reboot\n", ...) failed: No such file or directory')).toBe(
    "chmod +x SCRIPT, and look at its first line",
  );
  expect(remedy("net: Unable to find an external netns: a;reboot")).toStartWith(
    "--inherit-fd 'fd[N]:a;reboot' with ",
  );
});
