import { bundleNoNewPrivs } from "../../../src/checks/bundle/bundle-no-new-privs.ts";
import { creds, run, spec, withThread } from "../bundle.ts";
import { expect, test } from "bun:test";

test("bundle-no-new-privs: 0 and absent are the same to CRIU", () => {
  const asked = spec({ noNewPrivileges: true });
  for (const no_new_privs of [undefined, 0])
    expect(run(bundleNoNewPrivs, withThread({ creds: { ...creds, no_new_privs } }), asked)).toEqual(
      ["no_new_privs"],
    );
  expect(
    run(bundleNoNewPrivs, withThread({ creds: { ...creds, no_new_privs: 1 } }), asked),
  ).toEqual([]);
});
