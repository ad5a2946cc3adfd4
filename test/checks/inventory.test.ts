/** What only a CRIU asks for that is not installed here: 4.2. */
import { findings } from "./inventory.ts";
import { expect, test } from "bun:test";

test("with the option, and to a CRIU that does not know it, there is nothing to say", () => {
  expect(findings("4.2", ["--allow-uprobes"])).toEqual([]);
  expect(findings("4.1.1")).toEqual([]);
});
