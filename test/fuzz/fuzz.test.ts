/** A minute of `npm run fuzz`, after its corpus, other bytes each time: what is said when it fails has the seed. */
import { expect, test } from "bun:test";
import { fuzz } from "./fuzz.ts";

const SECONDS = 60;

test(
  "whatever the bytes: nothing is thrown, touched, left or steers a terminal, and codes and documents are as promised",
  async () => {
    const { tried, broken } = await fuzz(SECONDS, Date.now() >>> 0, false);
    expect(broken).toEqual([]);
    const targets =
      "image binary archive pack manifest signature beside journal configuration settings log request bundle";
    for (const target of targets.split(" "))
      expect([target, tried[target] ?? 0]).not.toEqual([target, 0]);
  },
  4 * SECONDS * 1000,
);
