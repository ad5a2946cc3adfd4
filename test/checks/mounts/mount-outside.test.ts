import { mountOutside } from "../../../src/checks/mounts/mount-outside.ts";
import { withContext } from "../context.ts";
import { at, withMounts } from "./mounts.ts";
import { expect, test } from "bun:test";

test("mount-outside: upwards, in the place or in the file system", () => {
  const run = (entry: object) =>
    withContext(withMounts(entry), {}, (context) => [...mountOutside.run(context)].length);
  expect(run(at("/a", { root: "/x/../../etc" }))).toBe(1);
  expect(run(at("./a/../../etc", {}))).toBe(1);
  expect(run(at("/a..b", { root: "/..c/d.." }))).toBe(0);
});
