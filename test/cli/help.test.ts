/** Help texts: each option in them, in lines that fit. */
import { expect, test } from "bun:test";
import { helpOf, overview } from "../../src/cli/help.ts";
import { commands } from "../../src/cli/index.ts";
import { criuHelp } from "../../src/cli/request.ts";

/** A terminal has 100 columns at the most; without one it is 80. */
const tooWide = (text: string): string[] =>
  text.split("\n").filter((line) => line.length > 100 || line !== line.trimEnd());

test("every command's help names each of its options, and no line is wider than a terminal", async () => {
  for (const [name, { load }] of Object.entries(commands)) {
    const { command, appendix } = await load();
    const text = helpOf(command, appendix !== undefined);
    for (const [option, { type, required }] of Object.entries(command.args))
      expect(text).toContain(
        type !== "positional"
          ? `--${option}`
          : required === false
            ? `[${option.toUpperCase()}]`
            : ` ${option.toUpperCase()}`,
      );
    expect([name, tooWide(text)]).toEqual([name, []]);
  }
  expect(tooWide(overview())).toEqual([]);
  expect(tooWide(criuHelp())).toEqual([]);
  for (const name of Object.keys(commands)) expect(overview()).toContain(`\n  ${name} `);
});
