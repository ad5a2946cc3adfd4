/** CRIU's action script on this machine. */
import { expect, test } from "bun:test";
import { askingProgram } from "../../src/sys/asking-program.ts";
import { askingProgramTests, codeOf } from "./asking-program.ts";

askingProgramTests("x64", []);

test("what is built in is this machine's", () => {
  expect(askingProgram("/q", "/a")).toEqual(askingProgram("/q", "/a", codeOf(process.arch)));
});
