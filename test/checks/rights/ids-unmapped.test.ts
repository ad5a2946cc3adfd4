import { idsUnmapped } from "../../../src/checks/rights/ids-unmapped.ts";
import { creds, run } from "../rights.ts";
import { expect, test } from "bun:test";

test('"ids-unmapped": ids that the user namespace does not have, and groups that may not be set', () => {
  const user = { creds: { ...creds, uid: 1000, gid: 5, groups: [5, 6] } };
  const one = { "/proc/self/uid_map": "0 0 1\n", "/proc/self/gid_map": "0 0 6\n" };
  expect(run(idsUnmapped, user, one)).toMatchObject([
    {
      severity: "blocker",
      criu_message: "Unable to set real, effective and saved user ID: -22",
    },
    { subject: "supplementary group 6", criu_message: "Can't setgroups([2 gids]): -22" },
  ]);
  const all = { "/proc/self/uid_map": "0 0 4294967295", "/proc/self/gid_map": "0 0 4294967295" };
  expect(run(idsUnmapped, user, all)).toEqual([]);
  const denied = { ...all, "/proc/self/setgroups": "deny\n" };
  expect(run(idsUnmapped, user, denied)).toMatchObject([
    { criu_message: "Can't setgroups([2 gids]): -1" },
  ]);
  const had = { ...denied, "/proc/self/status": "Groups:\t5 6 \n" };
  expect(run(idsUnmapped, user, had)).toEqual([]);
});
