/** What a mapping's content is, by the images: its own pages, those of shared memory, or what CRIU makes anew. */
import {
  AIORING,
  ANON_PRIVATE,
  ANON_SHARED,
  FILE_PRIVATE,
  GUARD,
  MEMFD,
  REGULAR,
  SYSVIPC,
  UPROBES,
  VDSO,
  VSYSCALL,
  VVAR,
} from "../image/flags.ts";
import { type Checkpoint, type MmEntry, type Task, VMA_FILE } from "../image/index.ts";
import { memfd_inode_entry } from "../image/tables/files.ts";
import { MAP_SHARED } from "../sys/linux.ts";
import { pageSize } from "../sys/process.ts";

const KERNELS = VSYSCALL | VDSO | VVAR | AIORING | UPROBES;

export type Vma = MmEntry["vmas"][number];

/** Numbers of pages: the first, and the one behind the last. */
export const firstPage = ({ start }: Vma): number => Number(start) / pageSize();
export const endPage = ({ end }: Vma): number => Number(end) / pageSize();

/** Guards are marks in other mappings. */
export const isGuard = ({ status }: Vma): boolean => (status & GUARD) !== 0;
export const isShared = ({ flags }: Vma): boolean => (flags & MAP_SHARED) !== 0;
/** Memory of the task's own, which CRIU saves as far as it was touched, and gives back as it was. */
export const isOwn = ({ status }: Vma): boolean =>
  (status & REGULAR) !== 0 &&
  (status & (ANON_PRIVATE | FILE_PRIVATE)) !== 0 &&
  (status & KERNELS) === 0;
/** Under what the task has not changed of its own memory there is a file. */
export const hasFile = ({ status }: Vma): boolean => (status & (VMA_FILE | MEMFD)) !== 0;

/** Why CRIU gives a mapping another content than was saved; undefined: it does not. */
export function remade({ status }: Vma): string | undefined {
  if (status & VDSO) return "this kernel's, or code that leads to it";
  if (status & AIORING) return "a ring that the kernel makes anew";
  return undefined;
}

/** The page map of memory that is mapped shared; undefined where it is a file's, which no image has. */
export function shmemOf(checkpoint: Checkpoint, { status, shmid }: Vma): string | undefined {
  if (status & (ANON_SHARED | SYSVIPC)) return `pagemap-shmem-${shmid}.img`;
  if ((status & MEMFD) === 0) return undefined;
  const inode = checkpoint.openFiles.get(Number(shmid))?.memfd?.inode_id;
  const memfds = checkpoint.values("memfd.img", memfd_inode_entry);
  const memfd = memfds.find(({ inode_id }) => Number(inode_id) === inode);
  return memfd && `pagemap-shmem-${memfd.shmid}.img`;
}

/** Addresses in struct rseq (linux/rseq.h) that the kernel writes by itself: the processor that a thread is on. */
export const rseqAreas = ({ threads }: Task): { from: number; to: number }[] =>
  threads.flatMap(({ core }) => {
    const rseq = core?.thread_core?.rseq_entry;
    if (rseq === undefined || rseq.rseq_abi_pointer === 0n) return [];
    const from = Number(rseq.rseq_abi_pointer);
    // cpu_id_start, cpu_id, rseq_cs; behind the flags node_id and mm_cid.
    return [
      { from, to: from + 16 },
      { from: from + 20, to: from + 28 },
    ];
  });

/** A mapping as a person knows it. */
export function nameOf(checkpoint: Checkpoint, task: Task, vma: Vma): string {
  const { start, end, status, shmid, prot } = vma;
  const {
    mm_start_stack: stack = 0n,
    mm_start_brk: heap = 0n,
    mm_brk: heapEnd = 0n,
  } = task.mm ?? {};
  const letters = [prot & 1 ? "r" : "-", prot & 2 ? "w" : "-", prot & 4 ? "x" : "-"];
  const how = `${start.toString(16)}-${end.toString(16)} ${letters.join("")}${isShared(vma) ? "s" : "p"}`;
  const file = status & VMA_FILE ? checkpoint.openFiles.get(Number(shmid))?.reg?.name : undefined;
  const inside = (address: bigint) => start <= address && address < end;
  const kind =
    status & VDSO
      ? "[vdso]"
      : inside(stack)
        ? "[stack]"
        : start < heapEnd && end > heap
          ? "[heap]"
          : (file ?? "");
  return kind === "" ? how : `${how} ${kind}`;
}
