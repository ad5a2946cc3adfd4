/** The checkpoint as a whole. Names and numbers are those of CRIU's images. */
import { task_kobj_ids_entry } from "./process.ts";
import { message, optional, repeated, required } from "../schema.ts";

export const plugins_entry = message("plugins_entry", {
  plugins: repeated(12, "string"),
});

export const inventory_entry = message("inventory_entry", {
  img_version: required(1, "uint32"),
  fdinfo_per_id: optional(2, "bool"),
  root_ids: optional(3, task_kobj_ids_entry),
  ns_per_id: optional(4, "bool"),
  root_cg_set: optional(5, "uint32"),
  lsmtype: optional(6, "enum"),
  dump_uptime: optional(8, "uint64"),
  pre_dump_mode: optional(9, "uint32"),
  tcp_close: optional(10, "bool"),
  network_lock_method: optional(11, "uint32"),
  plugins_entry: optional(12, plugins_entry),
  dump_criu_run_id: optional(13, "string"),
  allow_uprobes: optional(14, "bool"),
  compress: optional(15, "uint32"),
  compress_block_size: optional(16, "uint32"),
});

export const dump_stats_entry = message("dump_stats_entry", {
  freezing_time: required(1, "uint32"),
  frozen_time: required(2, "uint32"),
  memdump_time: required(3, "uint32"),
  memwrite_time: required(4, "uint32"),
  pages_scanned: required(5, "uint64"),
  pages_skipped_parent: required(6, "uint64"),
  pages_written: required(7, "uint64"),
  irmap_resolve: optional(8, "uint32"),
  pages_lazy: required(9, "uint64"),
  page_pipes: optional(10, "uint64"),
  page_pipe_bufs: optional(11, "uint64"),
  shpages_scanned: optional(12, "uint64"),
  shpages_skipped_parent: optional(13, "uint64"),
  shpages_written: optional(14, "uint64"),
});

export const restore_stats_entry = message("restore_stats_entry", {
  pages_compared: required(1, "uint64"),
  pages_skipped_cow: required(2, "uint64"),
  forking_time: required(3, "uint32"),
  restore_time: required(4, "uint32"),
  pages_restored: optional(5, "uint64"),
});

export const stats_entry = message("stats_entry", {
  dump: optional(1, dump_stats_entry),
  restore: optional(2, restore_stats_entry),
});
