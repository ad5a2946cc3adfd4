import { compareSenders } from "../../src/verify/open/senders.ts";
import type { OpenFile } from "../../src/verify/open/file.ts";
import { expect, test } from "bun:test";

const one = (pid: number, uid: number, text: string) => ({
  sender: { pid, uid, gid: 5 },
  bytes: Buffer.from(text),
});
const saved = (pid: number, uid: number, length: number) => ({
  id_for: 1,
  length,
  scm: [],
  ucred: { pid, uid, gid: 5 },
});

test("another sender than the saved one is another tree, none at all is lost, and a stream need not keep pieces apart", () => {
  const told: unknown[] = [];
  const file = {
    // Task 10 of the images has the number 110 here.
    subject: { checkpoint: {}, live: { tasks: new Map([[10, { pid: 110 }]]) } },
    same: (_what: string, expected: string, found: string, unequal?: string) =>
      told.push(expected === found ? "same" : (unequal ?? "another")),
  } as unknown as OpenFile;
  const compare = (found: readonly ReturnType<typeof one>[]) =>
    compareSenders([saved(10, 1, 2), saved(10, 2, 1)], found, file);
  compare([one(110, 1, "a"), one(110, 1, "b"), one(110, 2, "c")]);
  compare([one(110, 1, "ab"), one(110, 3, "c")]);
  compare([one(10, 1, "ab"), one(10, 2, "c")]);
  compare([one(0, 65534, "abc")]);
  compare([one(110, 1, "ab"), one(0, 65534, "c")]);
  expect(told).toEqual(["same", "another", "another", "tolerated", "another"]);
  compareSenders([{ id_for: 1, length: 2, scm: [] }], [one(110, 1, "ab")], file);
  expect(told).toHaveLength(5);
});
