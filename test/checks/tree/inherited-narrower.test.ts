import { expect, test } from "bun:test";
import { inheritedNarrower } from "../../../src/checks/tree/inherited-narrower.ts";
import { withContext } from "../context.ts";

test("inherited-narrower: what this machine cannot be told to have", () => {
  const found = (attributes: Record<string, unknown>) =>
    withContext(
      {},
      { host: { read: () => undefined, attributes: { ...usual, ...attributes } as never } },
      (context) => [...inheritedNarrower.run(context)].map(({ subject }) => subject),
    );
  const usual = {
    io: { class: 0, level: 0 },
    timerSlack: 50_000,
    memoryPolicy: 0,
    coreCookie: false,
  };
  expect(found({})).toEqual([]);
  expect(
    found({ io: undefined, timerSlack: undefined, memoryPolicy: undefined, coreCookie: undefined }),
  ).toEqual([]);
  expect(found({ io: { class: 1, level: 0 }, timerSlack: 1 })).toEqual([]);
  expect(found({ coreCookie: true })).toEqual(["core scheduling"]);
});
