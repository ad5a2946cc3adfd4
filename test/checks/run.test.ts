/** All checks of a request, as `runChecks` runs them. */
import { expect, spyOn, test } from "bun:test";
import type { CheckId } from "../../src/checks/catalogue.ts";
import type { Severity } from "../../src/checks/finding.ts";
import { noneThere } from "../../src/checks/images/no-checkpoint.ts";
import { catalogue, imageChecks, runChecks } from "../../src/checks/index.ts";
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

/** Checks in the place of the catalogue's: each says what it is to. */
const finding = (id: string, severity: Severity = "blocker") =>
  ({ severity, image: "", subject: id, message: id, remedy: { kind: "human", text: "" } }) as const;

function runAs(
  says: Partial<Record<CheckId, Severity>>,
  { only = [] as string[], ignore = [] as string[], before = [] as string[] } = {},
): string[] {
  const spies = Object.entries(says).map(([id, severity]) =>
    spyOn(
      catalogue.find((check) => check.id === id)!,
      "run",
    ).mockImplementation(() => [finding(id, severity)]),
  );
  const quiet = catalogue
    .filter(({ id }) => !(id in says))
    .map((check) => spyOn(check, "run").mockImplementation(() => []));
  try {
    return withContext(fixture(), {}, (context) =>
      runChecks(
        context,
        { only, ignore },
        before.map((id) => ({ ...finding(id), id, task: null, criu_message: null }) as never),
      ).map(({ id, severity }) => `${severity} ${id}`),
    );
  } finally {
    for (const spy of [...spies, ...quiet]) spy.mockRestore();
  }
}

test("only what is named is lowered, to a warning; all of it by `all`", () => {
  const two = { "cwd-missing": "blocker", "file-missing": "blocker" } as const;
  expect(runAs(two, { ignore: ["cwd-missing"] }).toSorted()).toEqual([
    "blocker file-missing",
    "warning cwd-missing",
  ]);
  expect(runAs(two, { ignore: ["all"] }).toSorted()).toEqual([
    "warning cwd-missing",
    "warning file-missing",
  ]);
  expect(runAs(two, { ignore: ["pid-in-use"] })).toHaveLength(2);
});

test("what was found before the checks is told with theirs, and lowered likewise", () => {
  expect(runAs({}, { before: ["criu-missing"] })).toEqual(["blocker criu-missing"]);
  expect(runAs({}, { before: ["criu-missing"], ignore: ["criu-missing"] })).toEqual([
    "warning criu-missing",
  ]);
});

test("without a checkpoint there is this one thing to say, unless it is to be gone on from", () => {
  const says = { "no-checkpoint": "blocker", "cwd-missing": "blocker" } as const;
  expect(runAs(says)).toEqual(["blocker no-checkpoint"]);
  expect(runAs(says, { ignore: ["no-checkpoint"] })).toEqual([
    "warning no-checkpoint",
    "blocker cwd-missing",
  ]);
  const of = (id: string, severity: Severity) => noneThere([{ id, severity } as never]);
  expect(of("no-checkpoint", "blocker")).toBe(true);
  expect(of("cwd-missing", "blocker")).toBe(false);
  expect(of("no-checkpoint", "warning")).toBe(false);
});

test("only what is chosen runs; a tree that runs already is told in the place of all that it holds", () => {
  const says = { "cwd-missing": "blocker", "file-missing": "blocker" } as const;
  expect(runAs(says, { only: ["file-missing"] })).toEqual(["blocker file-missing"]);
  const held = { "already-running": "blocker", "pid-in-use": "blocker" } as const;
  expect(runAs(held)).toEqual(["blocker already-running"]);
  expect(runAs({ "pid-in-use": "blocker" })).toEqual(["blocker pid-in-use"]);
});

test("findings after which the images cannot be trusted", () => {
  const ids =
    "image-missing image-truncated pages-short image-parent image-version image-vmas image-altered image-forged dump-failed seal-signature-wrong";
  expect([...imageChecks].toSorted()).toEqual(ids.split(" ").toSorted());
});
