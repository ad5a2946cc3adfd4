/** Open files, descriptors, what stands for deleted ones, locks. Names and numbers are those of CRIU's images. */
import { fh_entry, fown_entry, timeval } from "./common.ts";
import { inet_sk_entry, netlink_sk_entry, packet_sock_entry, unix_sk_entry } from "./sockets.ts";
import { message, optional, repeated, required } from "../schema.ts";

export const reg_file_entry = message("reg_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  pos: required(3, "uint64"),
  fown: required(5, fown_entry),
  name: required(6, "string"),
  mnt_id: optional(7, "sint32"),
  size: optional(8, "uint64"),
  ext: optional(9, "bool"),
  mode: optional(10, "uint32"),
  build_id: repeated(11, "uint32"),
  checksum: optional(12, "uint32"),
  checksum_config: optional(13, "uint32"),
  checksum_parameter: optional(14, "uint32"),
});

export const ext_file_entry = message("ext_file_entry", {
  id: required(1, "uint32"),
  fown: required(5, fown_entry),
});

export const fs_entry = message("fs_entry", {
  cwd_id: required(1, "uint32"),
  root_id: required(2, "uint32"),
  umask: optional(3, "uint32"),
});

export const ns_file_entry = message("ns_file_entry", {
  id: required(1, "uint32"),
  ns_id: required(2, "uint32"),
  ns_cflag: required(3, "uint32"),
  flags: required(4, "uint32"),
});

export const pipe_entry = message("pipe_entry", {
  id: required(1, "uint32"),
  pipe_id: required(2, "uint32"),
  flags: required(3, "uint32"),
  fown: required(4, fown_entry),
  uid: optional(5, "uint32"),
  gid: optional(6, "uint32"),
});

export const pipe_data_entry = message("pipe_data_entry", {
  pipe_id: required(1, "uint32"),
  bytes: required(2, "uint32"),
  size: optional(3, "uint32"),
});

export const fifo_entry = message("fifo_entry", {
  id: required(1, "uint32"),
  pipe_id: required(2, "uint32"),
  regf_id: optional(3, "uint32"),
  wait_writer: optional(4, "bool"),
});

export const eventfd_file_entry = message("eventfd_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(3, fown_entry),
  counter: required(4, "uint64"),
});

export const eventpoll_tfd_entry = message("eventpoll_tfd_entry", {
  id: required(1, "uint32"),
  tfd: required(2, "uint32"),
  events: required(3, "uint32"),
  data: required(4, "uint64"),
  dev: optional(5, "uint32"),
  inode: optional(6, "uint64"),
  pos: optional(7, "uint64"),
});

export const eventpoll_file_entry = message("eventpoll_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(3, fown_entry),
  tfd: repeated(4, eventpoll_tfd_entry),
});

export const signalfd_entry = message("signalfd_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(3, fown_entry),
  sigmask: required(4, "uint64"),
});

export const timerfd_entry = message("timerfd_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(3, fown_entry),
  clockid: required(4, "uint32"),
  ticks: required(5, "uint64"),
  settime_flags: required(6, "uint32"),
  vsec: required(7, "uint64"),
  vnsec: required(8, "uint64"),
  isec: required(9, "uint64"),
  insec: required(10, "uint64"),
});

export const inotify_wd_entry = message("inotify_wd_entry", {
  id: required(1, "uint32"),
  i_ino: required(2, "uint64"),
  mask: required(3, "uint32"),
  ignored_mask: required(4, "uint32"),
  s_dev: required(5, "uint32"),
  wd: required(6, "uint32"),
  f_handle: required(7, fh_entry),
});

export const inotify_file_entry = message("inotify_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(4, fown_entry),
  wd: repeated(5, inotify_wd_entry),
});

export const fanotify_inode_mark_entry = message("fanotify_inode_mark_entry", {
  i_ino: required(1, "uint64"),
  f_handle: required(2, fh_entry),
});

export const fanotify_mount_mark_entry = message("fanotify_mount_mark_entry", {
  mnt_id: required(1, "uint32"),
  path: optional(2, "string"),
});

export const fanotify_mark_entry = message("fanotify_mark_entry", {
  id: required(1, "uint32"),
  type: required(2, "enum"),
  mflags: required(3, "uint32"),
  mask: required(4, "uint32"),
  ignored_mask: required(5, "uint32"),
  s_dev: required(6, "uint32"),
  ie: optional(7, fanotify_inode_mark_entry),
  me: optional(8, fanotify_mount_mark_entry),
});

export const fanotify_file_entry = message("fanotify_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  fown: required(3, fown_entry),
  faflags: required(4, "uint32"),
  evflags: required(5, "uint32"),
  mark: repeated(6, fanotify_mark_entry),
});

export const winsize_entry = message("winsize_entry", {
  ws_row: required(1, "uint32"),
  ws_col: required(2, "uint32"),
  ws_xpixel: required(3, "uint32"),
  ws_ypixel: required(4, "uint32"),
});

export const termios_entry = message("termios_entry", {
  c_iflag: required(1, "uint32"),
  c_oflag: required(2, "uint32"),
  c_cflag: required(3, "uint32"),
  c_lflag: required(4, "uint32"),
  c_line: required(5, "uint32"),
  c_ispeed: required(6, "uint32"),
  c_ospeed: required(7, "uint32"),
  c_cc: repeated(8, "uint32"),
});

export const tty_pty_entry = message("tty_pty_entry", {
  index: required(1, "uint32"),
});

export const tty_data_entry = message("tty_data_entry", {
  tty_id: required(1, "uint32"),
  data: required(2, "bytes"),
});

export const tty_info_entry = message("tty_info_entry", {
  id: required(1, "uint32"),
  type: required(2, "enum"),
  locked: required(3, "bool"),
  exclusive: required(4, "bool"),
  packet_mode: required(5, "bool"),
  sid: required(6, "uint32"),
  pgrp: required(7, "uint32"),
  rdev: required(8, "uint32"),
  termios: optional(9, termios_entry),
  termios_locked: optional(10, termios_entry),
  winsize: optional(11, winsize_entry),
  pty: optional(12, tty_pty_entry),
  dev: optional(13, "uint32"),
  uid: optional(14, "uint32"),
  gid: optional(15, "uint32"),
});

export const tty_file_entry = message("tty_file_entry", {
  id: required(1, "uint32"),
  tty_info_id: required(2, "uint32"),
  flags: required(3, "uint32"),
  fown: required(4, fown_entry),
  regf_id: optional(6, "uint32"),
});

export const memfd_file_entry = message("memfd_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  pos: required(3, "uint64"),
  fown: required(4, fown_entry),
  inode_id: required(5, "uint32"),
});

export const memfd_inode_entry = message("memfd_inode_entry", {
  name: required(1, "string"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
  size: required(4, "uint64"),
  shmid: required(5, "uint32"),
  seals: required(6, "uint32"),
  inode_id: required(7, "uint64"),
  hugetlb_flag: optional(8, "uint32"),
  mode: optional(9, "uint32"),
});

export const bpfmap_file_entry = message("bpfmap_file_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  pos: required(3, "uint64"),
  fown: required(4, fown_entry),
  map_type: required(5, "uint32"),
  key_size: required(6, "uint32"),
  value_size: required(7, "uint32"),
  map_id: required(8, "uint32"),
  max_entries: required(9, "uint32"),
  map_flags: required(10, "uint32"),
  memlock: required(11, "uint64"),
  frozen: required(12, "bool"),
  map_name: required(13, "string"),
  ifindex: required(14, "uint32"),
  mnt_id: optional(15, "sint32"),
  map_extra: optional(16, "uint64"),
});

export const bpfmap_data_entry = message("bpfmap_data_entry", {
  map_id: required(1, "uint32"),
  keys_bytes: required(2, "uint32"),
  values_bytes: required(3, "uint32"),
  count: required(4, "uint32"),
});

export const pidfd_entry = message("pidfd_entry", {
  id: required(1, "uint32"),
  ino: required(2, "uint32"),
  flags: required(3, "uint32"),
  nspid: required(4, "int32"),
  fown: required(5, fown_entry),
});

export const tunfile_entry = message("tunfile_entry", {
  id: required(1, "uint32"),
  netdev: optional(2, "string"),
  detached: optional(3, "bool"),
  ns_id: optional(4, "uint32"),
});

export const tun_link_entry = message("tun_link_entry", {
  flags: required(1, "uint32"),
  owner: required(2, "int32"),
  group: required(3, "int32"),
  vnethdr: required(4, "uint32"),
  sndbuf: required(5, "uint32"),
});

export const fdinfo_entry = message("fdinfo_entry", {
  id: required(1, "uint32"),
  flags: required(2, "uint32"),
  type: required(3, "enum"),
  fd: required(4, "uint32"),
  xattr_security_selinux: optional(5, "string"),
});

export const file_entry = message("file_entry", {
  type: required(1, "enum"),
  id: required(2, "uint32"),
  reg: optional(3, reg_file_entry),
  isk: optional(4, inet_sk_entry),
  nsf: optional(5, ns_file_entry),
  psk: optional(6, packet_sock_entry),
  nlsk: optional(7, netlink_sk_entry),
  efd: optional(8, eventfd_file_entry),
  epfd: optional(9, eventpoll_file_entry),
  sgfd: optional(10, signalfd_entry),
  tunf: optional(11, tunfile_entry),
  tfd: optional(12, timerfd_entry),
  ify: optional(13, inotify_file_entry),
  ffy: optional(14, fanotify_file_entry),
  ext: optional(15, ext_file_entry),
  usk: optional(16, unix_sk_entry),
  fifo: optional(17, fifo_entry),
  pipe: optional(18, pipe_entry),
  tty: optional(19, tty_file_entry),
  memfd: optional(20, memfd_file_entry),
  bpf: optional(21, bpfmap_file_entry),
  pidfd: optional(22, pidfd_entry),
});

export const file_lock_entry = message("file_lock_entry", {
  flag: required(1, "uint32"),
  type: required(2, "uint32"),
  pid: required(3, "int32"),
  fd: required(4, "int32"),
  start: required(5, "int64"),
  len: required(6, "int64"),
});

export const ghost_file_entry = message("ghost_file_entry", {
  uid: required(1, "uint32"),
  gid: required(2, "uint32"),
  mode: required(3, "uint32"),
  dev: optional(4, "uint32"),
  ino: optional(5, "uint64"),
  rdev: optional(6, "uint32"),
  atim: optional(7, timeval),
  mtim: optional(8, timeval),
  chunks: optional(9, "bool"),
  size: optional(10, "uint64"),
  symlnk_target: optional(11, "string"),
});

export const ghost_chunk_entry = message("ghost_chunk_entry", {
  len: required(1, "uint64"),
  off: required(2, "uint64"),
});

export const remap_file_path_entry = message("remap_file_path_entry", {
  orig_id: required(1, "uint32"),
  remap_id: required(2, "uint32"),
  remap_type: optional(3, "enum"),
});
