/** Memory: mappings, page maps. Names and numbers are those of CRIU's images. */
import { message, optional, repeated, required } from "../schema.ts";

export const vma_entry = message("vma_entry", {
  start: required(1, "uint64"),
  end: required(2, "uint64"),
  pgoff: required(3, "uint64"),
  shmid: required(4, "uint64"),
  prot: required(5, "uint32"),
  flags: required(6, "uint32"),
  status: required(7, "uint32"),
  fd: required(8, "sint64"),
  madv: optional(9, "uint64"),
  fdflags: optional(10, "uint32"),
});

export const aio_ring_entry = message("aio_ring_entry", {
  id: required(1, "uint64"),
  nr_req: required(2, "uint32"),
  ring_len: required(3, "uint32"),
});

export const mm_entry = message("mm_entry", {
  mm_start_code: required(1, "uint64"),
  mm_end_code: required(2, "uint64"),
  mm_start_data: required(3, "uint64"),
  mm_end_data: required(4, "uint64"),
  mm_start_stack: required(5, "uint64"),
  mm_start_brk: required(6, "uint64"),
  mm_brk: required(7, "uint64"),
  mm_arg_start: required(8, "uint64"),
  mm_arg_end: required(9, "uint64"),
  mm_env_start: required(10, "uint64"),
  mm_env_end: required(11, "uint64"),
  exe_file_id: required(12, "uint32"),
  mm_saved_auxv: repeated(13, "uint64"),
  vmas: repeated(14, vma_entry),
  dumpable: optional(15, "int32"),
  aios: repeated(16, aio_ring_entry),
  thp_disabled: optional(17, "bool"),
});

export const pagemap_head = message("pagemap_head", {
  pages_id: required(1, "uint32"),
});

/** How the pages of an entry are packed (CRIU 4.3): each block as so many bytes of LZ4; as many as it has: as it is; none: zeros. */
export const pagemap_blocks = message("pagemap_blocks", {
  block_sizes: repeated(1, "uint32"),
  total_payload_size: required(2, "uint64"),
  pages_per_block: required(3, "uint32"),
});

export const pagemap_entry = message("pagemap_entry", {
  vaddr: required(1, "uint64"),
  compat_nr_pages: required(2, "uint32"),
  in_parent: optional(3, "bool"),
  flags: optional(4, "uint32"),
  nr_pages: optional(5, "uint64"),
  blocks: optional(6, pagemap_blocks),
});
