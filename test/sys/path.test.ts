/** Paths as text: what node:path says of them, and a backslash is part of a name. */
import { expect, test } from "bun:test";
import { posix } from "node:path";
import * as own from "../../src/sys/path.ts";

const two = ["join", "resolve", "relative"] as const;
const one = ["dirname", "basename", "normalize"] as const;
const paths =
  "/ . .. a /a /a/ a/b /a/b/c /a/../b/./c/ ../../x /.. \\ /a\\b/c C:/x a\nb // //".split(" ");

test("as node:path has it", () => {
  for (const path of ["", ...paths]) {
    for (const how of one)
      expect([how, path, own[how](path)]).toEqual([how, path, posix[how](path)]);
    for (const other of ["", ...paths])
      for (const how of two)
        expect([how, path, other, own[how](path, other)]).toEqual([
          how,
          path,
          other,
          posix[how](path, other),
        ]);
  }
});
