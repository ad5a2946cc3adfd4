/** Rights and modules of other machines: what this one cannot be. */
import { expect, test } from "bun:test";
import { idsUnmapped } from "../../src/checks/rights/ids-unmapped.ts";
import type { Check } from "../../src/checks/index.ts";
import { apparmorProfileMissing } from "../../src/checks/rights/apparmor-profile-missing.ts";
import { lsmMismatch } from "../../src/checks/rights/lsm-mismatch.ts";
import { lsmOption } from "../../src/checks/rights/lsm-option.ts";
import { pidMax } from "../../src/checks/tree/pid-max.ts";
import { seccompUnsupported } from "../../src/checks/rights/seccomp-unsupported.ts";
import { EPERM } from "../../src/sys/errno.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

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
  groups: [],
};

const images = (thread: object, inventory: object = {}) => ({
  ...fixture(),
  "core-11.img": image("core-11.img", [
    { mtype: 1, thread_core: { futex_rla: 0n, futex_rla_len: 0, ...thread } },
  ]),
  "inventory.img": image("inventory.img", [
    {
      img_version: 2,
      fdinfo_per_id: true,
      ns_per_id: true,
      ...inventory,
      root_ids: {
        vm_id: 1,
        files_id: 2,
        fs_id: 3,
        sighand_id: 4,
        pid_ns_id: 1,
        net_ns_id: 2,
        mnt_ns_id: 6,
      },
    },
  ]),
});

/** A machine that has only these files. */
const run = (
  check: Check,
  thread: object,
  files: Record<string, string>,
  more: { options?: string[]; inventory?: object; version?: string; writable?: boolean } = {},
) =>
  withContext(
    images(thread, more.inventory),
    {
      options: more.options ?? [],
      version: more.version ?? "4.1.1",
      host: {
        effectiveUid: 0,
        read: (path: string) => files[path],
        exists: (path: string) =>
          Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`)),
        access: () => (more.writable === false ? -EPERM : 0),
        self: undefined,
      },
    },
    (context) => check.run(context),
  );

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

const profiles = "/sys/kernel/security/apparmor/profiles";
const confined = { creds: { ...creds, lsm_profile: "docker-default" } };
const apparmor = { lsmtype: 2 };

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

test('"seccomp-unsupported": a kernel that does not even count filters', () => {
  const filtered = { seccomp_mode: 2, seccomp_filter: 0 };
  const status = (text: string) => ({ "/proc/self/status": text });
  expect(run(seccompUnsupported, filtered, status("Name:\tx\n"))).toMatchObject([
    { severity: "blocker", task: 10, image: "core-11.img" },
  ]);
  expect(run(seccompUnsupported, filtered, status("Seccomp:\t0\n"))).toEqual([]);
  expect(run(seccompUnsupported, {}, status("Name:\tx\n"))).toEqual([]);
});

test("pid-max: where the sysctl cannot be written CRIU stops", () => {
  const files = { "/proc/sys/kernel/pid_max": "11\n" };
  expect(run(pidMax, {}, files, { writable: false })).toMatchObject([
    { severity: "blocker", subject: "12" },
  ]);
  expect(run(pidMax, {}, files)).toMatchObject([{ severity: "warning", subject: "12" }]);
  expect(run(pidMax, {}, { "/proc/sys/kernel/pid_max": "13\n" })).toEqual([]);
});
