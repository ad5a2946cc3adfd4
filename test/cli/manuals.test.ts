/** What help and man pages say of each command, held against what it takes. */
import { expect, test } from "bun:test";
import { commands } from "../../src/cli/index.ts";
import { manuals } from "../../src/cli/manuals.ts";
import { table } from "../../src/cli/table.ts";
import { exits } from "../../src/report/outcome.ts";

test("every command has examples and its own exit codes, and nothing else has", () => {
  expect(Object.keys(manuals)).toEqual(Object.keys(commands));
  for (const [name, { examples, exits: own }] of Object.entries(manuals)) {
    expect([name, examples.length > 0]).toEqual([name, true]);
    // 0 and 2 mean the same everywhere; each code is one of the table.
    expect(Object.keys(own)).toEqual(expect.arrayContaining(["0", "2"]));
    expect(exits.map(({ code }) => String(code))).toEqual(expect.arrayContaining(Object.keys(own)));
  }
});

test("what an example types, its command takes", async () => {
  for (const { name, options, criu, operands } of await table()) {
    const known = new Map(
      [...options, ...criu].flatMap(
        (option) =>
          [
            [`--${option.name}`, option],
            ...(option.short === undefined ? [] : [[`-${option.short}`, option] as const]),
          ] as [string, typeof option][],
      ),
    );
    for (const [typed] of manuals[name]!.examples) {
      const [, words = ""] = new RegExp(`recriu ${name}\\b([^>)]*)`).exec(typed) ?? [];
      expect([typed, typed.includes(`recriu ${name}`)]).toEqual([typed, true]);
      const [own = ""] = words.split(/ -- | --or-else /);
      const list = own
        .trim()
        .split(" ")
        .filter((word) => word !== "");
      const rest = list.filter((word, at) => {
        const [option, value] = word.split("=");
        const taken = known.get(option!);
        if (word.startsWith("-") && word !== "-") {
          expect([typed, option, taken !== undefined]).toEqual([typed, option, true]);
          if (value !== undefined)
            expect([typed, taken!.value]).toEqual([typed, expect.any(String)]);
          return false;
        }
        const before = known.get(list[at - 1] ?? "");
        return before?.value === undefined || before.optional;
      });
      expect([typed, rest.length === 0 || operands.length > 0]).toEqual([typed, true]);
    }
  }
});
