/** A small whole checkpoint, made of our own encoder: a task with two threads, and a zombie child. */
import { COMMON_MAGIC, formatOf, tableAt } from "../../src/image/formats.ts";
import { encode } from "../../src/image/wire.ts";

/** An image file of entries. */
export function image(file: string, entries: readonly object[]): Uint8Array {
  const format = formatOf(file);
  if (format === undefined) throw new Error(`no format of ${file} is known`);
  const words = file === "inventory.img" ? [format.magic] : [COMMON_MAGIC, format.magic];
  const pieces = words.map(word);
  for (const [index, entry] of entries.entries()) {
    const bytes = encode(tableAt(format, index), entry as never);
    pieces.push(word(bytes.length), Buffer.from(bytes));
  }
  return Buffer.concat(pieces);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

const addresses = {
  mm_start_code: 0n,
  mm_end_code: 0n,
  mm_start_data: 0n,
  mm_end_data: 0n,
  mm_start_stack: 0n,
  mm_start_brk: 0n,
  mm_brk: 0n,
  mm_arg_start: 0n,
  mm_arg_end: 0n,
  mm_env_start: 0n,
  mm_env_end: 0n,
};

const thread = { futex_rla: 0n, futex_rla_len: 0, sched_nice: 0, sched_policy: 0, comm: "task" };

const core = (state: number) => ({
  mtype: 1,
  tc: {
    task_state: state,
    exit_code: 0,
    personality: 0,
    flags: 0,
    blk_sigset: 0n,
    comm: "task",
    sigactions: [],
  },
});

/** The files, by name; each is needed for the restore. */
export function fixture(): Record<string, Uint8Array> {
  const ids = { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4 };
  const root_ids = { ...ids, pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 6 };
  const files: Record<string, readonly object[]> = {
    "inventory.img": [{ img_version: 2, fdinfo_per_id: true, root_ids, ns_per_id: true }],
    "pstree.img": [
      { pid: 10, ppid: 0, pgid: 10, sid: 10, threads: [10, 11] },
      { pid: 12, ppid: 10, pgid: 10, sid: 10, threads: [3520670032] },
    ],
    "core-10.img": [{ ...core(1), thread_core: thread }],
    "core-11.img": [{ mtype: 1, thread_core: thread }],
    "core-12.img": [core(2)],
    "ids-10.img": [{ ...ids, pid_ns_id: 1, net_ns_id: 2, mnt_ns_id: 6 }],
    "fs-10.img": [{ cwd_id: 1, root_id: 1 }],
    "fdinfo-2.img": [{ id: 3, flags: 0, type: 1, fd: 0 }],
    "files.img": [
      { type: 1, id: 1, reg: { id: 1, flags: 0, pos: 0n, fown: noOne, name: "/", mode: 0o40755 } },
      {
        type: 1,
        id: 2,
        reg: { id: 2, flags: 0, pos: 0n, fown: noOne, name: "/dev/null", mode: 0o20666 },
      },
      {
        type: 1,
        id: 3,
        reg: { id: 3, flags: 0, pos: 0n, fown: noOne, name: "/dev/null", mode: 0o20666 },
      },
    ],
    "mm-10.img": [{ ...addresses, exe_file_id: 2, mm_saved_auxv: [], vmas: [], aios: [] }],
    "pagemap-10.img": [{ pages_id: 1 }, { vaddr: 0x400000n, compat_nr_pages: 2, flags: 4 }],
  };
  const made = Object.fromEntries(
    Object.entries(files).map(([name, entries]) => [name, image(name, entries)]),
  );
  return { ...made, "pages-1.img": new Uint8Array(8192) };
}
