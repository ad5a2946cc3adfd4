/** Paths as text: what node:path says of them, and a backslash is part of a name. */
import { expect, test } from "bun:test";
import { posix } from "node:path";
import { basename, dirname, join, normalize, relative, resolve } from "../../src/sys/path.ts";

const one = { dirname, basename, normalize };
const two = { join, resolve, relative };
/** Of the working directory nothing is asked: these are told where they begin. */
const begin = { join: "", resolve: "/w", relative: "/w/" };
const paths =
  "/ . .. a /a /a/ a/b /a/b/c /a/../b/./c/ ../../x /.. \\ /a\\b/c C:/x a\nb // //".split(" ");

test("as node:path has it", () => {
  for (const path of ["", ...paths]) {
    for (const [how, own] of Object.entries(one))
      expect([how, path, own(path)]).toEqual([how, path, posix[how as keyof typeof one](path)]);
    for (const other of ["", ...paths])
      for (const [how, own] of Object.entries(two)) {
        const name = how as keyof typeof two;
        const [first, second] = [
          `${begin[name]}${path}`,
          name === "relative" ? `/w/${other}` : other,
        ];
        const said = posix[name](first, second);
        expect([how, first, second, own(first, second)]).toEqual([how, first, second, said]);
      }
  }
});

test("what begins nowhere stays relative", () => {
  expect([resolve(), resolve("a/", "../b/"), resolve("..", "a")]).toEqual([".", "b", "../a"]);
});
