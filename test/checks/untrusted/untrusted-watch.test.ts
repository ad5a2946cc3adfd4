import { files, noOne, refused } from "./untrusted.ts";
import { expect, test } from "bun:test";

test("untrusted-watch: whoever opens a file waits for the tree", () => {
  const mark = {
    id: 3,
    type: 2,
    mflags: 16,
    mask: 0x10000,
    ignored_mask: 0,
    s_dev: 1,
    me: { mnt_id: 1, path: "/" },
  };
  const ffy = (mask: number) => ({
    type: 13,
    id: 3,
    ffy: { id: 3, flags: 0, fown: noOne, faflags: 4, evflags: 0, mark: [{ ...mark, mask }] },
  });
  expect(refused(files(ffy(0x10000)))).toEqual([["untrusted-watch", "/"]]);
  expect(refused(files(ffy(0x20)))).toEqual([]);
});
