import { expect, test } from "bun:test";
import { optionInHelp } from "../../src/criu/beyond-table.ts";

const help = `
  -T|--brand-tree PID   a number
     --brand-file FILE  the word --inside is none of it
     --brand-cap [CAP]  may have one
  --brand-list[=X,...]  may have one
  --brand-option=P.N[=V] has to have one
  --brand-new           a switch
  --brand-mode MODE
  --tree PID            known here
`;

test("what a help text says of an option", () => {
  const arg = (typed: string) => optionInHelp(help, typed)?.arg;
  expect(["tree", "file", "option", "mode"].map((name) => arg(`brand-${name}`))).toEqual(
    Array(4).fill("required"),
  );
  expect([arg("brand-cap"), arg("brand-list")]).toEqual(["optional", "optional"]);
  expect([arg("brand-new"), arg("no-brand-new"), arg("brand-n")]).toEqual(Array(3).fill("none"));
  // Several begin so, or none; a value has no --no-; in the text about one; in the table.
  for (const typed of ["brand", "strange", "no-brand-mode", "inside", "tree"])
    expect([typed, optionInHelp(help, typed)]).toEqual([typed, undefined]);
});
