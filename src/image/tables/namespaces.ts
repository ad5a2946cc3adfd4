/** Namespaces, mounts and what belongs to them. Names and numbers are those of CRIU's images. */
import { tun_link_entry } from "./files.ts";
import { message, optional, repeated, required, type Message } from "../schema.ts";

export const mnt_entry = message("mnt_entry", {
  fstype: required(1, "uint32"),
  mnt_id: required(2, "uint32"),
  root_dev: required(3, "uint32"),
  parent_mnt_id: required(4, "uint32"),
  flags: required(5, "uint32"),
  root: required(6, "string"),
  mountpoint: required(7, "string"),
  source: required(8, "string"),
  options: required(9, "string"),
  shared_id: optional(10, "uint32"),
  master_id: optional(11, "uint32"),
  with_plugin: optional(12, "bool"),
  ext_mount: optional(13, "bool"),
  fsname: optional(14, "string"),
  internal_sharing: optional(15, "bool"),
  deleted: optional(16, "bool"),
  sb_flags: optional(17, "uint32"),
  ext_key: optional(18, "string"),
});

export const autofs_entry = message("autofs_entry", {
  fd: required(1, "int32"),
  pgrp: required(2, "int32"),
  timeout: required(3, "int32"),
  minproto: required(4, "int32"),
  maxproto: required(5, "int32"),
  mode: required(6, "int32"),
  uid: optional(7, "int32"),
  gid: optional(8, "int32"),
  read_fd: optional(9, "int32"),
});

export const binfmt_misc_entry = message("binfmt_misc_entry", {
  name: required(1, "string"),
  enabled: required(2, "bool"),
  interpreter: required(3, "string"),
  flags: optional(4, "string"),
  extension: optional(5, "string"),
  magic: optional(6, "string"),
  mask: optional(7, "string"),
  offset: optional(8, "int32"),
});

export const sit_entry = message("sit_entry", {
  link: optional(1, "uint32"),
  local: repeated(2, "uint32"),
  remote: repeated(3, "uint32"),
  ttl: optional(4, "uint32"),
  tos: optional(5, "uint32"),
  pmtudisc: optional(6, "bool"),
  proto: optional(7, "uint32"),
  flags: optional(8, "uint32"),
  encap_type: optional(9, "uint32"),
  encap_flags: optional(10, "uint32"),
  encap_sport: optional(11, "uint32"),
  encap_dport: optional(12, "uint32"),
  rd_prefixlen: optional(13, "uint32"),
  rd_prefix: repeated(14, "uint32"),
  relay_prefixlen: optional(15, "uint32"),
  relay_prefix: repeated(16, "uint32"),
});

export const macvlan_link_entry = message("macvlan_link_entry", {
  mode: required(1, "uint32"),
  flags: optional(2, "uint32"),
});

export const sysctl_entry = message("sysctl_entry", {
  type: required(1, "enum"),
  iarg: optional(2, "int32"),
  sarg: optional(3, "string"),
});

export const net_device_entry = message("net_device_entry", {
  type: required(1, "enum"),
  ifindex: required(2, "uint32"),
  mtu: required(3, "uint32"),
  flags: required(4, "uint32"),
  name: required(5, "string"),
  tun: optional(6, tun_link_entry),
  address: optional(7, "bytes"),
  conf: repeated(8, "int32"),
  conf4: repeated(9, sysctl_entry),
  conf6: repeated(10, sysctl_entry),
  macvlan: optional(11, macvlan_link_entry),
  peer_ifindex: optional(12, "uint32"),
  peer_nsid: optional(13, "uint32"),
  master: optional(14, "uint32"),
  sit: optional(15, sit_entry),
});

export const netns_id = message("netns_id", {
  target_ns_id: required(1, "uint32"),
  netnsid_value: required(2, "int32"),
});

export const netns_entry = message("netns_entry", {
  def_conf: repeated(1, "int32"),
  all_conf: repeated(2, "int32"),
  def_conf4: repeated(3, sysctl_entry),
  all_conf4: repeated(4, sysctl_entry),
  def_conf6: repeated(5, sysctl_entry),
  all_conf6: repeated(6, sysctl_entry),
  nsids: repeated(7, netns_id),
  ext_key: optional(8, "string"),
  unix_conf: repeated(9, sysctl_entry),
  ipv4_sysctl: repeated(10, sysctl_entry),
});

export const utsns_entry = message("utsns_entry", {
  nodename: required(1, "string"),
  domainname: required(2, "string"),
});

export const uid_gid_extent = message("uid_gid_extent", {
  first: required(1, "uint32"),
  lower_first: required(2, "uint32"),
  count: required(3, "uint32"),
});

export const userns_entry = message("userns_entry", {
  uid_map: repeated(1, uid_gid_extent),
  gid_map: repeated(2, uid_gid_extent),
  binfmt_misc: repeated(3, binfmt_misc_entry),
});

export const pidns_entry = message("pidns_entry", {
  ext_key: optional(1, "string"),
});

export const timespec = message("timespec", {
  tv_sec: required(1, "uint64"),
  tv_nsec: required(2, "uint64"),
});

export const timens_entry = message("timens_entry", {
  monotonic: required(1, timespec),
  boottime: required(2, timespec),
});

export const ipc_desc_entry = message("ipc_desc_entry", {
  key: required(1, "uint32"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
  cuid: required(4, "uint32"),
  cgid: required(5, "uint32"),
  mode: required(6, "uint32"),
  id: required(7, "uint32"),
});

export const ipc_var_entry = message("ipc_var_entry", {
  sem_ctls: repeated(1, "uint32"),
  msg_ctlmax: required(2, "uint32"),
  msg_ctlmnb: required(3, "uint32"),
  msg_ctlmni: required(4, "uint32"),
  auto_msgmni: required(5, "uint32"),
  shm_ctlmax: required(6, "uint64"),
  shm_ctlall: required(7, "uint64"),
  shm_ctlmni: required(8, "uint32"),
  shm_rmid_forced: required(9, "uint32"),
  mq_queues_max: required(10, "uint32"),
  mq_msg_max: required(11, "uint32"),
  mq_msgsize_max: required(12, "uint32"),
  mq_msg_default: optional(13, "uint32"),
  mq_msgsize_default: optional(14, "uint32"),
  msg_next_id: optional(15, "uint32"),
  sem_next_id: optional(16, "uint32"),
  shm_next_id: optional(17, "uint32"),
});

export const ipc_shm_entry = message("ipc_shm_entry", {
  desc: required(1, ipc_desc_entry),
  size: required(2, "uint64"),
  in_pagemaps: optional(3, "bool"),
  hugetlb_flag: optional(4, "uint32"),
});

export const ipc_sem_entry = message("ipc_sem_entry", {
  desc: required(1, ipc_desc_entry),
  nsems: required(2, "uint32"),
});

export const ipc_msg = message("ipc_msg", {
  mtype: required(1, "uint64"),
  msize: required(2, "uint32"),
});

export const ipc_msg_entry = message("ipc_msg_entry", {
  desc: required(1, ipc_desc_entry),
  qbytes: required(2, "uint32"),
  qnum: required(3, "uint32"),
});

export const aa_policy = message("aa_policy", {
  name: required(1, "string"),
  blob: required(2, "bytes"),
});

export const aa_namespace: Message<any> = message("aa_namespace", {
  name: required(1, "string"),
  policies: repeated(2, aa_policy),
  namespaces: repeated(3, (): Message<any> => aa_namespace),
});

export const apparmor_entry = message("apparmor_entry", {
  namespaces: repeated(1, aa_namespace),
});
