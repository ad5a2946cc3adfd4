/** Rules of memory that this machine cannot be put under for a test. */
import { fixture, image } from "../../image/fixture.ts";

export const PRIVATE = 0x2;

const ANON_PRIVATE = 0x201;

export const GIB = 1n << 30n;

export interface Mapping {
  start: bigint;
  end: bigint;
  prot?: number;
  flags?: number;
}

/** The fixture with these mappings in its task. */
export function images(mappings: readonly Mapping[], more: Record<string, Uint8Array> = {}) {
  const whole = fixture();
  const zero = ["start_code", "end_code", "start_data", "end_data", "start_stack", "start_brk"];
  const fields = [...zero, "brk", "arg_start", "arg_end", "env_start", "env_end"];
  const vmas = mappings.map((mapping) => ({
    prot: 3,
    flags: PRIVATE | 0x20,
    ...mapping,
    pgoff: 0n,
    shmid: 0n,
    status: ANON_PRIVATE,
    fd: -1n,
  }));
  const addresses = Object.fromEntries(fields.map((field) => [`mm_${field}`, 0n]));
  const mm = { ...addresses, exe_file_id: 2, mm_saved_auxv: [], vmas, aios: [] };
  return { ...whole, "mm-10.img": image("mm-10.img", [mm]), ...more };
}

/** A host with these small files, and nothing else. */
export const host = (files: Record<string, string>) => ({
  read: (path: string) => files[path],
  exists: () => false,
});

export const MEMINFO = "/proc/meminfo";
