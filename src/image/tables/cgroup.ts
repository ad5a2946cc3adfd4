/** Control groups. Names and numbers are those of CRIU's images. */
import { message, optional, repeated, required, type Message } from "../schema.ts";

export const cgroup_perms = message("cgroup_perms", {
  mode: required(1, "uint32"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
});

export const cgroup_prop_entry = message("cgroup_prop_entry", {
  name: required(1, "string"),
  value: required(2, "string"),
  perms: optional(3, cgroup_perms),
});

export const cgroup_dir_entry: Message<any> = message("cgroup_dir_entry", {
  dir_name: required(1, "string"),
  children: repeated(2, (): Message<any> => cgroup_dir_entry),
  properties: repeated(3, cgroup_prop_entry),
  dir_perms: optional(4, cgroup_perms),
});

export const cg_controller_entry = message("cg_controller_entry", {
  cnames: repeated(1, "string"),
  dirs: repeated(2, cgroup_dir_entry),
  is_threaded: optional(3, "bool"),
});

export const cg_member_entry = message("cg_member_entry", {
  name: required(1, "string"),
  path: required(2, "string"),
  cgns_prefix: optional(3, "uint32"),
});

export const cg_set_entry = message("cg_set_entry", {
  id: required(1, "uint32"),
  ctls: repeated(2, cg_member_entry),
});

export const cgroup_entry = message("cgroup_entry", {
  sets: repeated(1, cg_set_entry),
  controllers: repeated(2, cg_controller_entry),
});
