/** All checks of a request, as `runChecks` runs them. */
import { expect, test } from "bun:test";
import { runChecks } from "../../src/checks/index.ts";
import { fixture } from "../image/fixture.ts";
import { withContext } from "./context.ts";

test("a check that throws is a blocker: what nobody thought of lets no tree pass", () => {
  const run = (ignore: string[]) =>
    withContext(fixture(), {}, (context) =>
      runChecks(
        {
          ...context,
          get criu(): never {
            throw new Error("nobody thought of this");
          },
        },
        { only: ["criu-too-old"], ignore },
      ).map(({ id, severity, subject, message }) => ({ id, severity, subject, message })),
    );
  const message = "the check criu-too-old failed: nobody thought of this";
  const crashed = { id: "check-crashed", subject: "criu-too-old", message };
  expect(run([])).toEqual([{ ...crashed, severity: "blocker" }]);
  expect(run(["check-crashed"])).toEqual([{ ...crashed, severity: "warning" }]);
});
