/** A minute of `npm run fuzz`, other bytes each time: what is said when it fails has the seed. */
import { expect, test } from "bun:test";
import { fuzz } from "./fuzz.ts";

const SECONDS = 60;

test(
  "whatever the bytes, nothing is thrown, no check crashes, nothing of theirs reaches a terminal",
  async () => {
    const { tried, broken } = await fuzz(SECONDS, Date.now() >>> 0, false);
    expect(broken).toEqual([]);
    for (const target of ["image", "manifest", "archive", "configuration", "log", "request"])
      expect([target, (tried[target] ?? 0) > 10]).toEqual([target, true]);
  },
  2 * SECONDS * 1000,
);
