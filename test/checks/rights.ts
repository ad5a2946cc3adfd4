/** Rights and modules of other machines: what this one cannot be. */
import type { Check } from "../../src/checks/index.ts";
import { EPERM } from "../../src/sys/errno.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

export const creds = {
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
export const run = (
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
        kernel: "6.12.0",
        read: (path: string) => files[path],
        exists: (path: string) =>
          Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`)),
        access: () => (more.writable === false ? -EPERM : 0),
        self: undefined,
      },
    },
    (context) => [...check.run(context)],
  );

export const confined = { creds: { ...creds, lsm_profile: "docker-default" } };

export const apparmor = { lsmtype: 2 };
