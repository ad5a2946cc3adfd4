/** Checkpoints that are small on disk, and were large in memory or took minutes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture, image } from "../image/fixture.ts";

/** The small checkpoint that each form is put into. */
export const whole = fixture();
export const MiB = 1 << 20;
const SIZE = 4 * MiB;
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(message.length);
  return Buffer.concat([length, message]);
};
const many = (unit: Buffer): Buffer => Buffer.alloc(SIZE - (SIZE % unit.length), unit);
export const times = <T>(length: number, make: (at: number) => T): T[] =>
  Array.from({ length }, (_, at) => make(at));
const head = (file: string) => whole[file]!.subarray(0, 8);
const task = hex("0801 1000 1801 2001");
const pstree = (...parts: Buffer[]) => ({
  "pstree.img": Buffer.concat([head("pstree.img"), ...parts]),
});
const noOne = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
/** A regular file, the first of them a directory. */
export const file = (at: number) => ({
  type: 1,
  id: at + 1,
  reg: {
    id: at + 1,
    flags: 0,
    pos: 0n,
    fown: noOne,
    name: `/x${at}`,
    mode: at ? 0o100644 : 0o40755,
  },
});
/** What takes much by being read. */
export const forms: Record<string, () => Record<string, Uint8Array>> = {
  "the same entry": () => pstree(many(framed(task))),
  "entries in turn": () =>
    pstree(many(Buffer.concat([framed(task), framed(hex("0802 1000 1801 2001"))]))),
  "unknown fields": () => pstree(framed(Buffer.concat([task, many(hex("7801"))]))),
  threads: () => pstree(framed(Buffer.concat([task, many(hex("2801"))]))),
  "threads in one field": () =>
    pstree(framed(Buffer.concat([task, hex("2a 80808002"), many(hex("01"))]))),
  nested: () => ({ "core-10.img": Buffer.concat([head("core-10.img"), framed(many(hex("1a")))]) }),
  files: () => ({ "files.img": image("files.img", times(30_000, file)) }),
  "descriptors of missing files": () => ({
    "files.img": image("files.img", times(5000, file)),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      times(5000, (fd) => ({ id: fd + 1, flags: 0, type: 1, fd })),
    ),
  }),
  "file locks": () => ({
    "filelocks.img": image(
      "filelocks.img",
      times(100_000, (at) => ({ flag: 1, type: 1, pid: at, fd: at, start: BigInt(at), len: 1n })),
    ),
  }),
  "a long name": () => ({
    "files.img": image("files.img", [
      { type: 1, id: 1, reg: { ...file(0).reg, name: `/${"\u001b".repeat(SIZE)}` } },
    ]),
  }),
  "page maps": () => ({
    "pagemap-10.img": image("pagemap-10.img", [
      { pages_id: 1 },
      ...times(50_000, (at) => ({ vaddr: BigInt(at) * 8192n, compat_nr_pages: 1, flags: 4 })),
    ]),
  }),
};

const cgroups = (number: number) => ({
  "cgroup.img": image("cgroup.img", [
    {
      sets: times(number, (at) => ({
        id: at + 1,
        ctls: [{ name: "", path: `/of/set/${at}` }],
      })),
      controllers: [{ cnames: [""], dirs: [] }],
    },
  ]),
});
/** Each is a finding, or a fault, or an effect, for every entry of an image. */
export const findings: Record<string, () => Record<string, Uint8Array>> = {
  "missing files": () => ({
    "restore.log": Buffer.from(
      "(00.1) Error (criu/files-reg.c:1): Can't open file x0 on restore: No such file or directory\n",
    ),
    "files.img": image("files.img", times(30_000, file)),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      times(30_000, (fd) => ({ id: fd + 1, flags: 0, type: 1, fd })),
    ),
  }),
  "sets of cgroups": () => cgroups(50_000),
  plugins: () => ({
    "inventory.img": image("inventory.img", [
      {
        img_version: 2,
        fdinfo_per_id: true,
        ns_per_id: true,
        root_ids: { vm_id: 1, files_id: 2, fs_id: 3, sighand_id: 4 },
        plugins_entry: { plugins: times(150_000, (at) => `p${at}`) },
      },
    ]),
  }),
  "files that are linked back": () => ({
    "files.img": image("files.img", times(30_000, file)),
    "fdinfo-2.img": image(
      "fdinfo-2.img",
      times(30_000, (fd) => ({ id: fd + 1, flags: 0, type: 1, fd })),
    ),
    "remap-fpath.img": image(
      "remap-fpath.img",
      times(30_000, (at) => ({ orig_id: 30_000 - at, remap_id: at + 1, remap_type: 0 })),
    ),
  }),
  "missing ghosts": () => ({
    "remap-fpath.img": image(
      "remap-fpath.img",
      times(100_000, (at) => ({ orig_id: at, remap_id: at + 1, remap_type: 1 })),
    ),
  }),
  "many page maps": () => ({
    "pagemap-10.img": image("pagemap-10.img", [
      { pages_id: 1 },
      ...times(150_000, (at) => ({ vaddr: BigInt(at) * 8192n, compat_nr_pages: 1, flags: 4 })),
    ]),
  }),
};

/** A directory in one of its own below `above`, of a checkpoint with these files, and their size without page data. */
export function checkpoint(
  above: string,
  name: string,
  files: Record<string, Uint8Array>,
): { dir: string; size: number } {
  const dir = join(above, name.replaceAll(" ", "-"), "images");
  mkdirSync(dir, { recursive: true });
  let size = 0;
  for (const [each, bytes] of Object.entries({ ...whole, ...files })) {
    writeFileSync(join(dir, each), bytes);
    if (!each.startsWith("pages-")) size += bytes.length;
  }
  return { dir, size };
}
