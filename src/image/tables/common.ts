/** What several families share. Names and numbers are those of CRIU's images. */
import { message, optional, repeated, required } from "../schema.ts";

export const fown_entry = message("fown_entry", {
  uid: required(1, "uint32"),
  euid: required(2, "uint32"),
  signum: required(3, "uint32"),
  pid_type: required(4, "uint32"),
  pid: required(5, "uint32"),
});

export const fh_entry = message("fh_entry", {
  bytes: required(1, "uint32"),
  type: required(2, "uint32"),
  handle: repeated(3, "uint64"),
  path: optional(4, "string"),
  mnt_id: optional(5, "uint32"),
});

export const irmap_cache_entry = message("irmap_cache_entry", {
  dev: required(1, "uint32"),
  inode: required(2, "uint64"),
  path: required(3, "string"),
});

export const timeval = message("timeval", {
  tv_sec: required(1, "uint64"),
  tv_usec: required(2, "uint64"),
});
