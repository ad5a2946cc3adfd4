import { optionUnknown } from "../../../src/checks/criu/option-unknown.ts";
import { fixture } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { expect, test } from "bun:test";

/** On a CRIU that has such an option: test/dropin/beyond.test.ts. */
test("option-unknown: each option that only CRIU knows is told, and nothing without one", () => {
  const found = (beyond: string[]) =>
    withContext(fixture(), { version: "9.1" }, (context) => [
      ...optionUnknown.run({ ...context, request: { ...context.request, beyond } }),
    ]);
  expect(found([])).toEqual([]);
  expect(
    found(["--new", "field 99 of criu_opts"]).map(({ subject, severity }) => [subject, severity]),
  ).toEqual([
    ["--new", "info"],
    ["field 99 of criu_opts", "info"],
  ]);
});
