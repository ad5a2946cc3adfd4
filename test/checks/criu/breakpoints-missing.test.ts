import { expect, test } from "bun:test";
import { breakpointsMissing } from "../../../src/checks/criu/breakpoints-missing.ts";
import { withContext } from "../context.ts";

test("breakpoints-missing: only of a CRIU before 4.2, and not where nobody knows", () => {
  const found = (version: string, breakpoints: boolean | undefined, set?: string) =>
    withContext(
      {},
      {
        version,
        host: {
          breakpoints,
          libraries: () => [],
          variable: (name) => (name === "CRIU_FAULT" ? set : undefined),
        },
      },
      (context) => [...breakpointsMissing.run(context)].map(({ remedy }) => remedy.kind),
    );
  expect(found("4.1.1", false)).toEqual(["variable"]);
  expect(found("4.1.1", true)).toEqual([]);
  expect(found("4.1.1", undefined)).toEqual([]);
  expect(found("4.2", false)).toEqual([]);
  expect(found("4.1.1", false, "130")).toEqual([]);
  // What the user set is never overridden.
  expect(found("4.1.1", false, "131")).toEqual(["human"]);
});
