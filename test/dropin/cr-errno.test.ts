/** The errno of a refusal, as CRIU's answer would have it. */
import { expect, test } from "bun:test";
import type { Finding } from "../../src/checks/index.ts";
import { crErrno } from "../../src/dropin/cr-errno.ts";

const [EEXIST, EBADRQC] = [17, 56];
const finding = (id: string, subject = "") => ({ id, subject }) as Finding;
const other = finding("file-missing", "/x");

test("the root's number is taken, CRIU cannot set itself up, or anything else", () => {
  expect(crErrno([other, finding("pid-in-use", "10")], 10)).toBe(EEXIST);
  expect(crErrno([finding("pid-in-use", "11")], 10)).toBeUndefined();
  for (const id of ["criu-too-old", "privilege", "tmp-missing", "work-dir-unwritable"])
    expect(crErrno([other, finding("pid-in-use", "10"), finding(id)], 10)).toBe(EBADRQC);
  expect(crErrno([other], 10)).toBeUndefined();
  expect(crErrno([], 10)).toBeUndefined();
});
