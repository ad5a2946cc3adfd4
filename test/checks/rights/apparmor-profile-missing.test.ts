import { apparmorProfileMissing } from "../../../src/checks/rights/apparmor-profile-missing.ts";
import { lsmMismatch } from "../../../src/checks/rights/lsm-mismatch.ts";
import { apparmor, confined, creds, run } from "../rights.ts";
import { expect, test } from "bun:test";

const profiles = "/sys/kernel/security/apparmor/profiles";

test('"apparmor-profile-missing": not among the loaded ones', () => {
  const inventory = apparmor;
  const other = { [profiles]: "/usr/bin/man (enforce)\nlsb_release (complain)\n" };
  expect(run(apparmorProfileMissing, confined, other, { inventory })).toMatchObject([
    {
      subject: "docker-default",
      criu_message: "can't write lsm profile -2",
    },
  ]);
  expect(run(lsmMismatch, confined, other, { inventory })).toEqual([]);
  const loaded = { [profiles]: "docker-default (enforce)\n" };
  expect(run(apparmorProfileMissing, confined, loaded, { inventory })).toEqual([]);
  const options = ["--lsm-profile=apparmor:other"];
  expect(run(apparmorProfileMissing, confined, loaded, { inventory, options })).toMatchObject([
    { subject: "other" },
  ]);
  const stacked = { creds: { ...creds, lsm_profile: "a//&:ns://b" } };
  expect(run(apparmorProfileMissing, stacked, loaded, { inventory })).toEqual([]);
});
