/** Rights and modules of other machines: what this one cannot be. */
import { lsmMismatch } from "../../src/checks/rights/lsm-mismatch.ts";
import { lsmOption } from "../../src/checks/rights/lsm-option.ts";
import { apparmor, confined, creds, run } from "./rights.ts";
import { expect, test } from "bun:test";

test("SELinux instead of AppArmor is a mismatch; CRIU before 4.1 ignores a given context", () => {
  const selinux = { "/sys/fs/selinux/enforce": "1" };
  expect(run(lsmMismatch, confined, selinux, { inventory: apparmor })).toMatchObject([
    { severity: "blocker" },
  ]);
  expect(run(lsmMismatch, { creds }, selinux, { inventory: apparmor })).toEqual([]);
  const options = ["--lsm-profile=selinux:system_u:system_r:container_t:s0"];
  expect(run(lsmOption, { creds }, selinux, { options, version: "4.0" })).toMatchObject([
    { severity: "warning" },
  ]);
  expect(run(lsmOption, { creds }, selinux, { options })).toEqual([]);
});
