/** Where the tree of images lives and a bundle has it, and bundles that are none. */
import { expect, test } from "bun:test";
import { bundleNamespace } from "../../src/checks/bundle/bundle-namespace.ts";
import { bundleUsers } from "../../src/checks/bundle/bundle-users.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { image } from "../image/fixture.ts";
import { creds, run, spec, withThread } from "./bundle.ts";

test("bundle-namespace: each kind, and one that is this machine's by the bundle too", () => {
  const shared = withThread({ creds });
  /** The namespaces of recriu, and other paths to them. */
  const identity = (path: string) => /^\/proc\/self\/ns\/\w+$/.exec(path)?.[0];
  const asks = (...namespaces: object[]) =>
    run(bundleNamespace, shared, spec({}, { namespaces }), [], { host: { identity } });
  expect(asks({ type: "mount" }, { type: "network" }, { type: "user" }, { type: "time" })).toEqual([
    "mnt",
    "net",
    "user",
  ]);
  expect(asks({ type: "network", path: "/proc/self/ns/net" })).toEqual([]);
  expect(asks({ type: "network", path: "/proc/self/ns/ipc" })).toEqual(["net"]);
  expect(asks({ type: "network", path: "/nowhere" })).toEqual(["net"]);
});

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

test("a configuration of the images' own maker: nothing of another type gets in", () => {
  const odd = [5, "text", null, [], {}, [5], [null], { path: 5 }];
  for (const value of odd) {
    const config = {
      root: { path: "rootfs", readonly: value },
      mounts: value,
      process: { capabilities: value, noNewPrivileges: value, apparmorProfile: value },
      linux: { namespaces: value, seccomp: value, uidMappings: value },
    };
    for (const text of [
      { ...config },
      { ...config, process: value, linux: value },
      { root: value },
      value,
    ])
      expect(() => bundleOf(JSON.stringify(text), "/b")).not.toThrow();
    expect(bundleOf(JSON.stringify(config), "/b")).toMatchObject({
      binds: [],
      grants: { noNewPrivileges: false, readonlyRoot: false, users: undefined },
    });
  }
});
