/** What is quoted for a shell stays one word in dash and in bash, whatever it is, and can be seen and copied whole. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBytes, toBytes } from "../../src/image/text.ts";
import { harmless } from "../../src/report/terminal.ts";
import { sh, typedOption } from "../../src/sys/shell.ts";
import { hostile } from "./hostile-names.ts";

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), "recriu-shell-"))));
afterAll(() => rmSync(dir, { recursive: true }));

/** The words that a shell makes of a command which begins with `printf '%s\0'`. */
function words(shell: string, command: string): string[] {
  const { stdout, stderr, exitCode } = Bun.spawnSync([shell, "-c", command], { cwd: dir });
  expect([stderr.toString(), exitCode]).toEqual(["", 0]);
  const text = fromBytes(stdout);
  expect(text).toEndWith("\0");
  return text.slice(0, -1).split("\0");
}

for (const shell of ["dash", "bash"]) {
  test(`${shell}: every name is one word, exactly`, () => {
    for (const name of hostile) {
      const command = sh`printf '%s\\0' -- ${name} ${[name, name]} a${name}b ${`c${name}`}`;
      expect(harmless(command)).toBe(command);
      expect(command).not.toContain("!");
      const expected = ["--", name, name, name, `a${name}b`, `c${name}`];
      expect(words(shell, command)).toEqual(expected);
      expect(words(shell, sh`${shell} -c ${command}`)).toEqual(expected);
      const within = sh`printf '%s\\0' "$(printf '%s.' ${[name]})"`;
      expect(words(shell, within)).toEqual([`${name}.`]);
    }
  });

  test(`${shell}: a path is no option, an option's value stays with it`, () => {
    expect(words(shell, sh`printf '%s\\0' ${"-rf"} ${["-rf"]}`)).toEqual(["./-rf", "-rf"]);
    for (const name of hostile.filter((each) => !each.endsWith("\n")))
      for (const option of [`--external mnt[${name}]:PATH`, `--root=${name}`])
        expect(words(shell, `printf '%s\\0' ${typedOption(option)}`)).toEqual(
          option.startsWith("--root") ? [option] : ["--external", option.slice(11)],
        );
  });
}

test("what needs no quotes has none; what ends in a newline is no option's value", () => {
  expect<string>(sh`install -d -m ${"1777"} ${"/tmp/.X11-unix"}`).toBe(
    "install -d -m 1777 /tmp/.X11-unix",
  );
  expect<string>(sh`kill ${12} ${""}`).toBe("kill 12 ''");
  expect<string | null>(typedOption("--manage-cgroups=ignore")).toBe("--manage-cgroups=ignore");
  expect<string | null>(typedOption("--external mnt[]")).toBe("--external 'mnt[]'");
  expect(typedOption("--inherit-fd fd[9]:a\n")).toBeNull();
  // As C sees it: nothing looks behind a NUL.
  expect<string>(sh`rm ${"/a\0b"}`).toBe("rm /a");
});

test("the names are what they are meant to be", () => {
  expect(Buffer.from(toBytes(hostile[0]!)).toString("hex")).toMatch(/^0102.*2e30.*feff$/);
});
