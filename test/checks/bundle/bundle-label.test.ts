import { bundleLabel } from "../../../src/checks/bundle/bundle-label.ts";
import { creds, run, spec, withThread } from "../bundle.ts";
import type { Faked } from "../context.ts";
import { expect, test } from "bun:test";

test("bundle-label: the bundle's own, and what stands below it, where its module runs", () => {
  const machine = (path: string) => ({ host: { exists: (asked: string) => asked === path } });
  const apparmor = machine("/sys/kernel/security/apparmor");
  const selinux = machine("/sys/fs/selinux/enforce");
  const asked = spec({ apparmorProfile: "docker-default", selinuxLabel: "u:r:container_t:s0" });
  const under = (lsm_profile: string | undefined, options: string[] = [], on: Faked = apparmor) =>
    run(bundleLabel, withThread({ creds: { ...creds, lsm_profile } }), asked, options, on);
  expect(under("docker-default")).toEqual([]);
  expect(under("docker-default//&other")).toEqual([]);
  expect(under(undefined)).toEqual(["unconfined"]);
  expect(under("docker-default-not")).toEqual(["docker-default-not"]);
  // CRIU gives the label of --lsm-profile only where there was one, of SELinux since 4.1.
  const option = ["--lsm-profile", "apparmor:docker-default"];
  expect(under("other", option, { ...apparmor, version: "3.17" })).toEqual([]);
  expect(under(undefined, option)).toEqual(["unconfined"]);
  expect(under("docker-default", ["--lsm-profile", "none:"])).toEqual(["unconfined"]);
  expect(under("u:r:spc_t:s0", [], selinux)).toEqual(["u:r:spc_t:s0"]);
  const context = ["--lsm-profile", "selinux:u:r:container_t:s0"];
  expect(under("u:r:spc_t:s0", context, { ...selinux, version: "4.1" })).toEqual([]);
  expect(under("u:r:spc_t:s0", context, { ...selinux, version: "4.0" })).toEqual(["u:r:spc_t:s0"]);
  expect(under(undefined, [], machine("/nowhere"))).toEqual([]);
  const plain = spec({ apparmorProfile: "unconfined", selinuxLabel: "" });
  expect(run(bundleLabel, withThread({ creds }), plain, [], apparmor)).toEqual([]);
});
