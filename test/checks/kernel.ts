/** Kernels and machines that cannot be had here, made up: what each lacks is named. */
import type { Host } from "../../src/host/index.ts";
import { fixture, image } from "../image/fixture.ts";

export const ids = { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4 };

export const theirs = { pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 6, user_ns_id: 7, time_ns_id: 5 };

/** The fixture's tree in namespaces of which some are its own. */
export const inNamespaces = (own: object) => ({
  ...fixture(),
  "inventory.img": image("inventory.img", [
    { img_version: 2, ns_per_id: true, root_ids: { ...ids, ...theirs } },
  ]),
  "ids-10.img": image("ids-10.img", [{ ...ids, ...theirs, ...own }]),
});

/** A host on which these files say this; undefined ones are not there. */
export const host = (files: Record<string, string | undefined>): Partial<Host> => ({
  read: (path) => files[path],
  exists: (path) => files[path] !== undefined,
});

const addresses = Object.fromEntries(
  ["code", "data"].flatMap((part) => [
    [`mm_start_${part}`, 0n],
    [`mm_end_${part}`, 0n],
  ]),
);

const mm = {
  ...addresses,
  mm_start_stack: 0n,
  mm_start_brk: 0n,
  mm_brk: 0n,
  mm_arg_start: 0n,
  mm_arg_end: 0n,
  mm_env_start: 0n,
  mm_env_end: 0n,
  exe_file_id: 2,
};

/** The fixture's tree with one mapping of this status. */
export const mapping = (status: number) => ({
  ...fixture(),
  "mm-10.img": image("mm-10.img", [
    {
      ...mm,
      vmas: [
        { start: 4096n, end: 8192n, pgoff: 0n, shmid: 0n, prot: 5, flags: 2, status, fd: -1n },
      ],
    },
  ]),
});

export const thread = { futex_rla: 0n, futex_rla_len: 0 };
