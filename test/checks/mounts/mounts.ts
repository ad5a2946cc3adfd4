/** Mounts as other machines had them. */
import { fixture, image } from "../../image/fixture.ts";

export const mount = {
  fstype: 0,
  parent_mnt_id: 1,
  flags: 0,
  root: "/",
  options: "",
  source: "/dev/vda",
};

export const root = { ...mount, mnt_id: 1, parent_mnt_id: 0, root_dev: 0x800001, mountpoint: "/" };

/** The fixture's tree in a mount namespace of its own with these mounts below its root. */
export const withMounts = (...mounts: object[]) => ({
  ...fixture(),
  "ids-10.img": image("ids-10.img", [
    { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4, pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 16 },
  ]),
  "mountpoints-16.img": image("mountpoints-16.img", [root, ...mounts]),
});

export const at = (mountpoint: string, more: object): any => ({
  ...mount,
  mnt_id: 7,
  root_dev: 50,
  source: "none",
  mountpoint,
  ...more,
});
