/** What a pack says of itself: believed only where a pack of recriu's could say it. */
import { expect, test } from "bun:test";
import { parseContents } from "../../src/pack/layout.ts";

const sum = { size: 1, sha256: "0".repeat(64) };
const parsed = (change: object) =>
  parseContents(
    JSON.stringify({ schema: 1, options: ["--tcp-close"], criu: { criu: sum }, ...change }),
  );

test("words without a NUL, names of CRIU's files, sums", () => {
  expect(parsed({})).toMatchObject({ options: ["--tcp-close"] });
  for (const options of ["--tcp-close", [1], ["--root=/a\0b"], ["\0"]])
    expect([options, parsed({ options })]).toEqual([options, "its options are no words"]);
  for (const name of ["..", "lib/..", "../x", "a/b", "/x", "lib/a\0"])
    expect([name, parsed({ criu: { [name]: sum } })]).toEqual([
      name,
      expect.stringContaining("is no file"),
    ]);
  for (const odd of [null, {}, { ...sum, size: -1 }, { ...sum, sha256: "x" }])
    expect([odd, parsed({ criu: { criu: odd } })]).toEqual([
      odd,
      expect.stringContaining("is no file"),
    ]);
  const many = Array.from({ length: 200_000 }, () => ({}));
  expect(parsed({ options: many })).toContain("more values");
});
