/** What a bundle grants and images have: cases that no container of this machine is in. */
import { expect, test } from "bun:test";
import {
  bundleCapabilities,
  bundleLabel,
  bundleNoNewPrivs,
  bundleSeccomp,
} from "../../src/checks/bundle-rights.ts";
import { bundleNamespace, bundleUsers } from "../../src/checks/bundle.ts";
import type { Check } from "../../src/checks/index.ts";
import { bundleOf } from "../../src/runtime/bundle.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const NET_RAW = 1 << 13;
const KILL = 1 << 5;
const creds = {
  uid: 0,
  gid: 0,
  euid: 0,
  egid: 0,
  suid: 0,
  sgid: 0,
  fsuid: 0,
  fsgid: 0,
  secbits: 0,
  cap_inh: [0, 0],
  cap_prm: [0, 0],
  cap_eff: [0, 0],
  cap_bnd: [0, 0],
  cap_amb: [0, 0],
  groups: [],
};

/** The fixture's task with these members of its leader's thread_core_entry, and other images. */
function withThread(thread: object, others: Record<string, Uint8Array> = {}) {
  const core = (more: object) => ({
    mtype: 1,
    tc: {
      task_state: 1,
      exit_code: 0,
      personality: 0,
      flags: 0,
      blk_sigset: 0n,
      comm: "task",
      sigactions: [],
    },
    thread_core: { futex_rla: 0n, futex_rla_len: 0, ...more },
  });
  return {
    ...fixture(),
    "core-10.img": image("core-10.img", [core(thread)]),
    "core-11.img": image("core-11.img", [core(thread)]),
    ...others,
  };
}

const spec = (process: object, linux: object = {}, root: object = {}) =>
  bundleOf(JSON.stringify({ root: { path: "rootfs", ...root }, process, linux }), "/b")!.grants!;

const run = (
  check: Check,
  images: Record<string, Uint8Array>,
  bundle: ReturnType<typeof spec> | undefined,
  options: string[] = [],
) =>
  withContext(images, { options, bundle }, (context) =>
    check.run(context).map(({ id, severity, subject }) => {
      expect(severity).toBe("blocker");
      return [id, subject];
    }),
  );

test("no bundle, no finding", () => {
  for (const check of [
    bundleNamespace,
    bundleUsers,
    bundleCapabilities,
    bundleNoNewPrivs,
    bundleSeccomp,
    bundleLabel,
  ])
    expect([check.id, run(check, withThread({ creds }), undefined)]).toEqual([check.id, []]);
});

test("bundle-capabilities: what a process can get itself is in order, unless it may gain nothing", () => {
  const bounding = { bounding: ["CAP_NET_RAW", "CAP_KILL"], permitted: ["CAP_KILL"] };
  const raw = withThread({
    creds: { ...creds, cap_bnd: [NET_RAW, 0], cap_prm: [NET_RAW, 0], cap_eff: [NET_RAW, 0] },
  });
  expect(run(bundleCapabilities, raw, spec({ capabilities: bounding }))).toEqual([]);
  expect(
    run(bundleCapabilities, raw, spec({ capabilities: bounding, noNewPrivileges: true })),
  ).toEqual([["bundle-capabilities", "permitted: cap_net_raw; effective: cap_net_raw"]]);
  // Fewer than granted; sets that the bundle does not name are empty.
  const none = withThread({ creds });
  expect(run(bundleCapabilities, none, spec({ capabilities: bounding }))).toEqual([]);
  expect(run(bundleCapabilities, none, spec({}))).toEqual([]);
  expect(run(bundleCapabilities, raw, spec({}))).toEqual([
    [
      "bundle-capabilities",
      "bounding: cap_net_raw; permitted: cap_net_raw; effective: cap_net_raw",
    ],
  ]);
  const ambient = withThread({ creds: { ...creds, cap_amb: [KILL, 0], cap_inh: [0, 1 << 7] } });
  expect(run(bundleCapabilities, ambient, spec({ capabilities: { bounding: [] } }))).toEqual([
    ["bundle-capabilities", "inheritable: cap_bpf; ambient: cap_kill"],
  ]);
});

test("bundle-capabilities: a thread whose credentials are not there is no thread without any", () => {
  expect(run(bundleCapabilities, withThread({}), spec({}))).toEqual([
    ["bundle-capabilities", "credentials"],
  ]);
});

test("bundle-no-new-privs: 0 and absent are the same to CRIU", () => {
  const asked = spec({ noNewPrivileges: true });
  for (const no_new_privs of [undefined, 0])
    expect(run(bundleNoNewPrivs, withThread({ creds: { ...creds, no_new_privs } }), asked)).toEqual(
      [["bundle-no-new-privs", "no_new_privs"]],
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
  const byRegister = { filter: [...load, 0x16, 0, 0, 0, 0, 0, 0, 0] };
  expect(run(bundleSeccomp, filtered(open), asked)).toEqual([["bundle-seccomp", "filter 0"]]);
  expect(run(bundleSeccomp, filtered(refuses), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(byRegister), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(refuses, { ...open, prev: 0 }), asked)).toEqual([]);
  expect(run(bundleSeccomp, filtered(open, { ...open, prev: 0 }), asked)).toEqual([
    ["bundle-seccomp", "filter 1"],
  ]);
  expect(run(bundleSeccomp, withThread({ creds }), asked)).toEqual([
    ["bundle-seccomp", "no filter"],
  ]);
  // Of a task whose threads share their filters only the leader has them in the images, with a flag.
  const led = (flags: number) => {
    const images = filtered({ ...refuses, flags });
    const { "core-11.img": follower } = withThread({ creds, seccomp_mode: 0 });
    return run(bundleSeccomp, { ...images, "core-11.img": follower! }, asked);
  };
  expect(led(1)).toEqual([]);
  expect(led(0)).toEqual([["bundle-seccomp", "no filter"]]);
  // A bundle whose own filter refuses nothing asks for nothing.
  const open2 = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ action: "SCMP_ACT_ALLOW" }] };
  for (const seccomp of [undefined, {}, open2])
    expect(run(bundleSeccomp, withThread({ creds }), spec({}, { seccomp }))).toEqual([]);
});

test("bundle-label: the bundle's own, and what stands below it", () => {
  const under = (lsm_profile: string | undefined, options: string[] = []) =>
    run(
      bundleLabel,
      withThread({ creds: { ...creds, lsm_profile } }),
      spec({ apparmorProfile: "docker-default" }),
      options,
    );
  expect(under("docker-default")).toEqual([]);
  expect(under("docker-default//&other")).toEqual([]);
  expect(under(undefined)).toEqual([["bundle-label", "unconfined"]]);
  expect(under("docker-default-not")).toEqual([["bundle-label", "docker-default-not"]]);
  // CRIU renders --lsm-profile only where there was a label.
  expect(under("other", ["--lsm-profile", "apparmor:docker-default"])).toEqual([]);
  expect(under(undefined, ["--lsm-profile", "apparmor:docker-default"])).toEqual([
    ["bundle-label", "unconfined"],
  ]);
  const selinux = spec({ selinuxLabel: "system_u:system_r:container_t:s0:c1,c2" });
  const spc = withThread({ creds: { ...creds, lsm_profile: "system_u:system_r:spc_t:s0" } });
  expect(run(bundleLabel, spc, selinux)).toEqual([["bundle-label", "system_u:system_r:spc_t:s0"]]);
});

test("bundle-namespace: each kind, and one that is this machine's by the bundle too", () => {
  const shared = withThread({ creds });
  const asks = (...namespaces: object[]) => run(bundleNamespace, shared, spec({}, { namespaces }));
  expect(asks({ type: "mount" }, { type: "network" }, { type: "user" }, { type: "time" })).toEqual([
    ["bundle-namespace", "mnt"],
    ["bundle-namespace", "net"],
    ["bundle-namespace", "user"],
  ]);
  expect(asks({ type: "network", path: "/proc/self/ns/net" })).toEqual([]);
  expect(asks({ type: "network", path: "/proc/self/ns/ipc" })).toEqual([
    ["bundle-namespace", "net"],
  ]);
  expect(asks({ type: "network", path: "/nowhere" })).toEqual([["bundle-namespace", "net"]]);
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
  expect(run(bundleUsers, mapped(1000, 11), granted)).toEqual([
    ["bundle-users", "uid_map 1000-1010"],
  ]);
  expect(run(bundleUsers, mapped(0, 1), granted)).toEqual([["bundle-users", "uid_map 0-0"]]);
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
