/** What an OCI configuration grants, read without belief in its types. */
import { expect, test } from "bun:test";
import { bundleOf } from "../../src/runtime/bundle.ts";

const read = (config: object) => bundleOf(JSON.stringify({ root: { path: "r" }, ...config }), "/b");
const granted = (config: object) => read(config)!.grants!;

test("without a root.path it is none, nor what is no JSON", () => {
  for (const text of ["", "{", "{}", '{"root":{}}', '{"root":7}', "[]"])
    expect(bundleOf(text, "/b")).toBeUndefined();
});

test("bind mounts, by type or by option; the runtime's own are none", () => {
  const mounts = [
    { destination: "/a", source: "/x", type: "bind" },
    { destination: "/b", source: "y", options: ["ro", "rbind"] },
    { destination: "/c", source: "/z", options: ["bind"] },
    { destination: "/proc", source: "proc", type: "proc" },
    { destination: "/no", type: "bind" },
  ];
  expect(read({ mounts })!.binds).toEqual([
    { destination: "/a", source: "/x" },
    { destination: "/b", source: "/b/y" },
    { destination: "/c", source: "/z" },
  ]);
});

test("capabilities, no_new_privs, labels, ids, a root that is only to be read", () => {
  const process = {
    capabilities: {
      bounding: ["CAP_CHOWN", "CAP_KILL"],
      effective: ["CAP_KILL", "CAP_UNHEARD_OF"],
    },
    noNewPrivileges: true,
    apparmorProfile: "docker-default",
    selinuxLabel: "",
  };
  const grants = granted({ process, root: { path: "r", readonly: true } });
  expect(grants.capabilities).toEqual({
    bounding: 0b100001n,
    effective: 0b100000n,
    permitted: 0n,
    inheritable: 0n,
    ambient: 0n,
  });
  expect(grants).toMatchObject({
    noNewPrivileges: true,
    readonlyRoot: true,
    labels: { AppArmor: "docker-default", SELinux: undefined },
  });
  const none = granted({ process: { noNewPrivileges: "yes", apparmorProfile: "unconfined" } });
  expect(none).toMatchObject({ noNewPrivileges: false, readonlyRoot: false, seccomp: false });
  expect(none.labels.AppArmor).toBeUndefined();
});

test("namespaces, with the one to join; mapped ids", () => {
  const namespaces = [
    { type: "network", path: "/n" },
    { type: "mount" },
    { type: "unheard-of" },
    7,
  ];
  const linux = { namespaces, uidMappings: [{ hostID: 100, size: 10 }, {}] };
  const grants = granted({ linux });
  expect(grants.namespaces).toEqual([
    { kind: "net", path: "/n" },
    { kind: "mnt", path: undefined },
  ]);
  expect(grants.users).toEqual([{ first: 100, count: 10 }]);
  expect(grants.groups).toBeUndefined();
});

test("a seccomp filter: only one that refuses something", () => {
  const seccomp = (filter: object) => granted({ linux: { seccomp: filter } }).seccomp;
  expect(seccomp({ defaultAction: "SCMP_ACT_ERRNO" })).toBe(true);
  expect(seccomp({ defaultAction: "SCMP_ACT_ALLOW" })).toBe(false);
  expect(
    seccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ action: "SCMP_ACT_KILL" }] }),
  ).toBe(true);
  expect(seccomp({ syscalls: [{ action: "SCMP_ACT_ALLOW" }] })).toBe(false);
});

test("a configuration file for CRIU, which goes over what the runtime asks", () => {
  expect(read({ annotations: { "org.criu.config": "/c" } })!.criuConfig).toBe("/c");
  expect(read({ annotations: { "org.criu.config": 7 } })!.criuConfig).toBeUndefined();
});
