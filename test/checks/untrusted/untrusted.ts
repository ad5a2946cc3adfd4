/** Effects and refusals of images that no machine here can dump: made up, entry by entry. */
import { effectsOf } from "../../../src/checks/effects/index.ts";
import { catalogue, type Context } from "../../../src/checks/index.ts";
import type { Host } from "../../../src/host/index.ts";
import { openRoot } from "../../../src/host/root.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";

export const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

const root = {
  type: 1,
  id: 1,
  reg: { id: 1, flags: 0, pos: 0n, fown: noOne, name: "/", mode: 0o40755 },
};

const exe = {
  type: 1,
  id: 2,
  reg: { id: 2, flags: 0, pos: 0n, fown: noOne, name: "/dev/null", mode: 0o20666 },
};

/** Its paths are looked up on this machine; nothing else is. */
export const host: Partial<Host> = {
  root: openRoot,
  effectiveUid: 0,
  access: () => 0,
  exists: () => false,
  entry: () => undefined,
  absolute: (path) => path,
  read: () => undefined,
  limit: () => undefined,
  processes: [],
};

/** Ids and subjects of what the checks of --untrusted refuse. */
export function refused(
  images: Record<string, Uint8Array>,
  options: string[] = [],
  allowWrite: string[] = [],
) {
  const own = { untrusted: true, allowWrite };
  return withContext({ ...fixture(), ...images }, { own, options, host }, (context) => {
    const full: Context = { ...context, effects: effectsOf(context) };
    const found = catalogue.flatMap((check) =>
      check.id.startsWith("untrusted-")
        ? [...check.run(full, check.id)].map(({ subject }) => [check.id, subject])
        : [],
    );
    return found.filter(([id]) => id !== "untrusted-images");
  });
}

export const files = (...entries: object[]) => ({
  "files.img": image("files.img", [root, exe, ...entries]),
});

/** A mount namespace of its own with these mounts. */
export const mounted = (...mounts: object[]) => ({
  "ids-10.img": image("ids-10.img", [
    { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4, pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 16 },
  ]),
  "mountpoints-16.img": image("mountpoints-16.img", [
    mount({ mnt_id: 1, parent_mnt_id: 0, mountpoint: "/", source: "/dev/vda" }),
    ...mounts.map((one) => mount({ mnt_id: 2, parent_mnt_id: 1, source: "none", ...one })),
  ]),
});

const mount = (given: object) => ({
  fstype: 0,
  root_dev: 1,
  flags: 0,
  root: "/",
  options: "",
  ...given,
});
