/** What the threads of images may do and a bundle grants: cases that no container of this machine is in. */
import { expect, test } from "bun:test";
import { bundleCapabilities } from "../../src/checks/bundle/bundle-capabilities.ts";
import { bundleLabel } from "../../src/checks/bundle/bundle-label.ts";
import { bundleNoNewPrivs } from "../../src/checks/bundle/bundle-no-new-privs.ts";
import { bundleSeccomp } from "../../src/checks/bundle/bundle-seccomp.ts";
import { bundleNamespace } from "../../src/checks/bundle/bundle-namespace.ts";
import { bundleRoot } from "../../src/checks/bundle/bundle-root.ts";
import { bundleUsers } from "../../src/checks/bundle/bundle-users.ts";
import { image } from "../image/fixture.ts";
import { creds, run, spec, withThread } from "./bundle.ts";
import type { Faked } from "./context.ts";

const NET_RAW = 1 << 13;
const KILL = 1 << 5;

test("no bundle, no finding", () => {
  for (const [at, check] of [
    bundleNamespace,
    bundleUsers,
    bundleRoot,
    bundleCapabilities,
    bundleNoNewPrivs,
    bundleSeccomp,
    bundleLabel,
  ].entries())
    expect([at, run(check, withThread({ creds }), undefined)]).toEqual([at, []]);
});

test("bundle-capabilities: what a process can get itself is in order, unless it may gain nothing", () => {
  const bounding = { bounding: ["CAP_NET_RAW", "CAP_KILL"], permitted: ["CAP_KILL"] };
  const raw = withThread({
    creds: { ...creds, cap_bnd: [NET_RAW, 0], cap_prm: [NET_RAW, 0], cap_eff: [NET_RAW, 0] },
  });
  expect(run(bundleCapabilities, raw, spec({ capabilities: bounding }))).toEqual([]);
  expect(
    run(bundleCapabilities, raw, spec({ capabilities: bounding, noNewPrivileges: true })),
  ).toEqual(["permitted: cap_net_raw; effective: cap_net_raw"]);
  // Fewer than granted; sets that the bundle does not name are empty.
  const none = withThread({ creds });
  expect(run(bundleCapabilities, none, spec({ capabilities: bounding }))).toEqual([]);
  expect(run(bundleCapabilities, none, spec({}))).toEqual([]);
  expect(run(bundleCapabilities, raw, spec({}))).toEqual([
    "bounding: cap_net_raw; permitted: cap_net_raw; effective: cap_net_raw",
  ]);
  const ambient = withThread({ creds: { ...creds, cap_amb: [KILL, 0], cap_inh: [0, 1 << 7] } });
  expect(run(bundleCapabilities, ambient, spec({ capabilities: { bounding: [] } }))).toEqual([
    "inheritable: cap_bpf; ambient: cap_kill",
  ]);
});

test("bundle-capabilities: a thread whose credentials are not there is no thread without any", () => {
  expect(run(bundleCapabilities, withThread({}), spec({}))).toEqual(["credentials"]);
});

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

/** BPF instructions: load a word, return a constant. */
const load = [0x20, 0, 0, 0, 0, 0, 0, 0];
const answer = (value: number) => [6, 0, 0, 0, ...new Uint8Array(new Uint32Array([value]).buffer)];
const [ALLOW, ERRNO] = [0x7fff0000, 0x50001];

test("bundle-seccomp: a filter that allows everything is none", () => {
  const asked = spec({}, { seccomp: { defaultAction: "SCMP_ACT_ERRNO" } });
  const filtered = (...filters: { filter: number[]; prev?: number; flags?: number }[]) =>
    withThread(
      { creds, seccomp_mode: 2, seccomp_filter: filters.length - 1 },
      {
        "seccomp.img": image("seccomp.img", [
          {
            seccomp_filters: filters.map((each) => ({
              ...each,
              filter: Uint8Array.from(each.filter),
            })),
          },
        ]),
      },
    );
  const open = { filter: [...load, ...answer(ALLOW)] };
  const refuses = { filter: [...load, ...answer(ERRNO), ...answer(ALLOW)] };
  const byRegister = { filter: [...load, 0x16, ...answer(ALLOW).slice(1)] };
  expect(run(bundleSeccomp, filtered(open), asked)).toEqual(["filter 0"]);
  expect(run(bundleSeccomp, filtered(refuses), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(byRegister), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(refuses, { ...open, prev: 0 }), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(open, { ...open, prev: 0 }), asked)).toEqual(["filter 1"]);
  expect(run(bundleSeccomp, withThread({ creds }), asked)).toEqual(["no filter"]);
  // Of a task whose threads share their filters only the leader has them in the images, with a flag.
  const led = (flags: number) => {
    const images = filtered({ ...refuses, flags });
    const { "core-11.img": follower } = withThread({ creds, seccomp_mode: 0 });
    return run(bundleSeccomp, { ...images, "core-11.img": follower! }, asked);
  };
  expect(led(1)).toEqual([]);
  expect(led(0)).toEqual(["no filter"]);
  // A bundle whose own filter refuses nothing asks for nothing.
  const open2 = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ action: "SCMP_ACT_ALLOW" }] };
  for (const seccomp of [undefined, {}, open2])
    expect(run(bundleSeccomp, withThread({ creds }), spec({}, { seccomp }))).toEqual([]);
});

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
