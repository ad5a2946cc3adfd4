import { expect, test } from "bun:test";
import { upward } from "../../src/host/upward.ts";

test.each([
  ["/a/b", ["/a/b", "/a", "/"]],
  ["/a//b/", ["/a//b/", "/a//b", "/a/", "/a", "/"]],
  ["../../x", ["../../x", "../..", ".."]],
  ["x", ["x"]],
  ["//", ["//", "/"]],
  ["/", ["/"]],
  ["", []],
])("the way up from %j ends", (path, steps) => {
  expect([...upward(path)]).toEqual(steps);
});
