import { bundleUsers } from "../../../src/checks/bundle/bundle-users.ts";
import { image } from "../../image/fixture.ts";
import { creds, run, spec, withThread } from "../bundle.ts";
import { expect, test } from "bun:test";

test("bundle-users: ids of this machine that the bundle does not map", () => {
  const ids = {
    vm_id: 1,
    files_id: 2,
    fs_id: 3,
    sighand_id: 4,
    pid_ns_id: 1,
    net_ns_id: 2,
    mnt_ns_id: 6,
    user_ns_id: 9,
  };
  const mapped = (lower_first: number, count: number) =>
    withThread(
      { creds },
      {
        "ids-10.img": image("ids-10.img", [ids]),
        "userns-9.img": image("userns-9.img", [
          { uid_map: [{ first: 0, lower_first, count }], gid_map: [] },
        ]),
      },
    );
  const sizes = [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 1001, size: 9 },
  ];
  const granted = spec({}, { uidMappings: sizes });
  expect(run(bundleUsers, mapped(1000, 10), granted)).toEqual([]);
  expect(run(bundleUsers, mapped(1005, 2), granted)).toEqual([]);
  expect(run(bundleUsers, mapped(1000, 11), granted)).toEqual(["uid_map 1000-1010"]);
  expect(run(bundleUsers, mapped(0, 1), granted)).toEqual(["uid_map 0-0"]);
  expect(run(bundleUsers, mapped(0, 1), spec({}))).toEqual([]);
});
