/** Paths, against what node makes of them. */
import { expect, test } from "bun:test";
import * as posix from "node:path/posix";
import { basename, dirname, join, relative, resolve } from "../../src/sys/path.ts";

const paths =
  ". .. / // a a/ /a /a/ //a//b// ../../x /../x ./a/./b a/../../b a\\x2db /sys/a\\x2db/c\\d C:/x C:\\x /..a/b.. ~/x /a/b/../../.. a//../b/"
    .split(" ")
    .concat("");

test("a path is what node's posix paths are", () => {
  for (const path of paths) {
    const [ours, theirs] = [dirname(path), posix.dirname(path)].map((found) =>
      posix.join(found, "x"),
    );
    expect([path, ours]).toEqual([path, theirs]);
    expect([path, basename(path)]).toEqual([path, posix.basename(path)]);
    expect([path, resolve(path)]).toEqual([path, posix.resolve(path)]);
    for (const other of paths) {
      expect([path, other, join(path, other)]).toEqual([path, other, posix.join(path, other)]);
      expect([path, other, resolve(path, other)]).toEqual([
        path,
        other,
        posix.resolve(path, other),
      ]);
      expect([path, other, relative(path, other)]).toEqual([
        path,
        other,
        posix.relative(path, other),
      ]);
    }
  }
});
