/** A CRIU that gives no answer in time has not said that it cannot. */
import { criuTooOld } from "../../../src/checks/criu/criu-too-old.ts";
import { tmpMissing } from "../../../src/checks/criu/tmp-missing.ts";
import type { Context } from "../../../src/checks/finding.ts";
import type { Refusal } from "../../../src/criu/index.ts";
import { fixture } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { expect, test } from "bun:test";

const asked = (context: Context, refusal: Refusal): Context => ({
  ...context,
  criu: { ...context.criu!, startRefusal: () => refusal, featureRefusal: () => refusal },
});

const answers: Refusal[] = [
  { kind: "none" },
  { kind: "unanswered" },
  { kind: "refused", line: "Can't create /tmp/.criu.XXXXXX: no" },
];

test("criu-too-old", () => {
  const host = { kernel: "6.18", read: () => "7ffd-7ffe r--p 0 00:00 0 [vvar_vclock]" };
  const found = answers.map((refusal) =>
    withContext(fixture(), { version: "4.0", host }, (context) =>
      criuTooOld.run(asked(context, refusal)),
    ),
  );
  expect(found.map(([first]) => first?.severity)).toEqual([undefined, "warning", "blocker"]);
});

test("tmp-missing", () => {
  const host = { access: () => -30, exists: () => true };
  const found = answers.map((refusal) =>
    withContext(fixture(), { host }, (context) => tmpMissing.run(asked(context, refusal))),
  );
  expect(found.map(([first]) => [first?.severity, first?.criu_message])).toEqual([
    [undefined, undefined],
    ["warning", null],
    ["blocker", "Can't create /tmp/.criu.XXXXXX: no"],
  ]);
});
